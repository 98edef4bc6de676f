/**
 * Services and policies of a node in a network namespace of its own: how long one change takes from the write to the API
 * server until the kernel has it, with 1,000 services of 10 endpoints, and how much of the processor that takes; what a
 * service costs a stream of bytes and new connections, beside the same without it; one pod's change with 1,000 pods
 * under 100 policies; DNS answers, for names of services and of others.
 * `node bench/services.ts`, as root or where user namespaces are allowed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packet from 'dns-packet'
import type { Namespace, Pod, Service as ServiceType } from '../src/api/generated/types/core-v1.ts'
import type { NetworkPolicy } from '../src/api/generated/types/networking-v1.ts'
import { Service } from '../src/api/kinds/core/service.ts'
import { EndpointSlice } from '../src/api/kinds/discovery/endpoint-slice.ts'
import { ADMIN, startServer } from '../src/apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../src/client/client.ts'
import { createInformers, type Informers } from '../src/client/informers.ts'
import { realClock } from '../src/lib/clock.ts'
import { addressAt, parseCidr } from '../src/lib/ip-range.ts'
import { silent } from '../src/lib/log.ts'
import { createCatalog } from '../src/network/catalog.ts'
import { createDnsCache } from '../src/network/dns/cache.ts'
import { createHandler } from '../src/network/dns/message.ts'
import { createNames } from '../src/network/dns/names.ts'
import { startDnsServer } from '../src/network/dns/server.ts'
import { startPolicies } from '../src/network/policy/start.ts'
import { createNftablesProxy } from '../src/network/service-proxy/nftables/proxy.ts'
import type { ServiceProxy } from '../src/network/service-proxy/proxy.ts'
import { startProxySync } from '../src/network/service-proxy/sync.ts'
import { fixedInformer } from '../src/network/testing/fixed-informer.ts'
import { run } from '../src/network/tools/command.ts'
import { startNft } from '../src/network/tools/nft.ts'
import { measure, median, type Row, table, worst } from './lib/measure.ts'
import { enterOwnNetwork, layOutNode, NODE } from './lib/own-network.ts'
import { serviceTraffic } from './lib/service-traffic.ts'

enterOwnNetwork()
layOutNode()

const SERVICES = 1000
const ENDPOINTS = 10
const CHANGES = 300
const folder = mkdtempSync(join(tmpdir(), 'bench-services-'))
const deps = { clock: realClock, logger: silent }
const rows: Row[] = []
writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
const nft = startNft(folder)
const makeProxy = (): ServiceProxy =>
  createNftablesProxy(
    { family: 'IPv4', serviceCidr: '10.96.0.0/16', podLinks: '"tutti-*"', nodeAddress: NODE, exposed: false },
    { ...deps, nft },
  )

const ENDPOINT_RANGE = parseCidr('10.128.0.0/9')
const endpoint = (n: number, k: number, round: number) =>
  addressAt(ENDPOINT_RANGE, n * 64 + k + (k === 3 && round > 0 ? (1 + (round % 40)) * 11 : 0))
const slice = (n: number, round: number): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  addressType: 'IPv4',
  metadata: { name: `s-${n}-a`, namespace: 'default', labels: { 'kubernetes.io/service-name': `s-${n}` } },
  endpoints: Array.from({ length: ENDPOINTS }, (_, k) => ({
    addresses: [endpoint(n, k, round)],
    conditions: { ready: true },
  })),
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
})

/** Milliseconds. */
async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Of all of them so far, also of those that another took the place of: the last figure that each was seen with, ms. */
const nftTimes = new Map<number, number>()
const pids: number[] = []
nft.follow(pid => pids.push(pid))
function cpuOfNft(): number {
  for (const pid of pids)
    try {
      nftTimes.set(pid, Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    } catch {}
  return [...nftTimes.values()].reduce((sum, each) => sum + each, 0)
}

/** What a change of an endpoint is for nft, with nothing before it: one of 10,000 elements goes, one comes. */
async function handFed() {
  const place = mkdtempSync(join(tmpdir(), 'bench-by-hand-'))
  const file = join(place, 'change.nft')
  const session = startNft(place)
  const of = (n: number) => `${addressAt(ENDPOINT_RANGE, n % 10_000)} . tcp . 80 . 3`
  const elements = Array.from({ length: 10_000 }, (_, n) => `${of(n)} : 10.128.0.1 . 8080`)
  await session.load(`table ip by-hand {
  map endpoints { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; elements = { ${elements.join(', ')} } }
}`)
  let n = 0
  const next = () => {
    n++
    return `delete element ip by-hand endpoints { ${of(n)} }
add element ip by-hand endpoints { ${of(n)} : 10.128.${n % 250}.1 . 8080 }`
  }
  return {
    change: () => session.change(next()),
    start() {
      writeFileSync(file, next())
      return run('nft', ['-f', file])
    },
    close() {
      session.close()
      rmSync(place, { recursive: true })
    },
  }
}

/** From the write of an EndpointSlice, by a client of the API server, to the kernel. */
async function fromTheWrite(): Promise<void> {
  const scope = new AbortController()
  const server = await startServer()
  const client = createClient(server.server.transport(ADMIN))
  const informers = createInformers(client, deps, scope.signal)
  for (let n = 0; n < SERVICES; n++) {
    const spec = { ports: [{ name: 'http', port: 80 }] }
    await client
      .kind<ServiceType>(Service)
      .create({ apiVersion: 'v1', kind: 'Service', metadata: { name: `s-${n}`, namespace: 'default' }, spec })
    await client.kind(EndpointSlice).create(slice(n, 0))
  }
  const catalog = createCatalog(
    { services: informers.of<ServiceType>(Service), endpointSlices: informers.of<EndpointSlice>(EndpointSlice) },
    scope.signal,
  )
  const proxy = makeProxy()
  let applied: (() => void) | undefined
  const watched: ServiceProxy = {
    ...proxy,
    async apply(changes) {
      await proxy.apply(changes)
      applied?.()
    },
  }
  await startProxySync({ ...deps, catalog, proxy: watched }, scope.signal)
  const change = (round: number) => async (index: number) => {
    const n = index % SERVICES
    const done = new Promise<void>(resolve => {
      applied = resolve
    })
    await client
      .kind(EndpointSlice)
      .patch(
        { namespace: 'default', name: `s-${n}-a` },
        { endpoints: slice(n, round + index).endpoints! },
        { type: 'merge' },
      )
    await done
  }
  await measure(50, 1, change(1))
  const byHand = await handFed()
  const alone = () => byHand.change()
  const [own, fed]: [number[], number[]] = [[], []]
  const nftBefore = cpuOfNft()
  let spent = 0
  for (let index = 0; index < CHANGES; index++) {
    const before = process.cpuUsage()
    own.push(await took(() => change(100)(index)))
    const { user, system } = process.cpuUsage(before)
    spent += (user + system) / 1000
    cpuOfNft()
    fed.push(await took(alone))
  }
  const started = await measure(100, 1, byHand.start)
  for (const [name, of] of [
    ['p50', median],
    ['p99', worst],
  ] as const)
    rows.push({
      what: `one endpoint, from the write to the kernel, 1,000 services of 10, ${name}`,
      unit: 'ms',
      figures: { Tutti: of(own), 'the nft transaction alone': of(fed), 'by nft -f': started[name] },
      lessIsBetter: true,
    })
  rows.push(
    {
      what: 'the same, processor of the program, a change',
      unit: 'ms',
      figures: { Tutti: spent / CHANGES },
    },
    {
      what: 'the same, processor of nft, a change',
      unit: 'ms',
      figures: { Tutti: (cpuOfNft() - nftBefore) / CHANGES },
    },
  )
  byHand.close()
  scope.abort()
  await server.server.close()
}

/** One pod's labels change, with 1,000 pods in 100 namespaces under a policy each. */
async function policies(): Promise<void> {
  const scope = new AbortController()
  const namespace = (n: number): Namespace => ({ metadata: { name: `ns-${n}`, labels: { team: `t-${n % 10}` } } })
  const pod = (n: number, role: string): Pod => ({
    metadata: { name: `p-${n}`, namespace: `ns-${n % 100}`, uid: `u-${n}`, labels: { app: `a-${n % 7}`, role } },
    spec: { nodeName: 'node-1', containers: [{ name: 'main' }] },
    status: { podIPs: [{ ip: addressAt(ENDPOINT_RANGE, n) }] },
  })
  const policy = (n: number): NetworkPolicy => ({
    metadata: { name: 'p', namespace: `ns-${n}` },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { role: 'client' } } },
            { namespaceSelector: { matchLabels: { team: `t-${n % 10}` } } },
          ],
          ports: [{ protocol: 'TCP', port: 8080 }],
        },
      ],
    },
  })
  const pods = fixedInformer(Array.from({ length: 1000 }, (_, n) => pod(n, 'server')))
  const namespaces = fixedInformer(Array.from({ length: 100 }, (_, n) => namespace(n)))
  const networkpolicies = fixedInformer(Array.from({ length: 100 }, (_, n) => policy(n)))
  const of = ({ plural }: { plural: string }) => ({ pods, namespaces, networkpolicies })[plural as 'pods'] as unknown
  const began = performance.now()
  const running = await startPolicies(
    { ...deps, informers: { of } as unknown as Informers, nft, nodeName: 'node-1', family: 'IPv4' },
    scope.signal,
  )
  const start = performance.now() - began
  const change = await measure(CHANGES, 1, async index => {
    pods.put(pod(index, 'client'))
    await running.idle()
  })
  const policyChange = await measure(100, 1, async index => {
    networkpolicies.remove(`ns-${index}/p`)
    await running.idle()
  })
  scope.abort()
  rows.push(
    { what: 'all policies at the start: 100, of 1,000 pods', unit: 'ms', figures: { Tutti: start } },
    { what: "a pod's labels change, p50", unit: 'ms', figures: { Tutti: change.p50 } },
    { what: "a pod's labels change, p99", unit: 'ms', figures: { Tutti: change.p99 } },
    { what: 'a policy goes, p50', unit: 'ms', figures: { Tutti: policyChange.p50 } },
    { what: 'a policy goes, p99', unit: 'ms', figures: { Tutti: policyChange.p99 } },
  )
}

/** Names of services, asked of the node's server by another process, over UDP. */
async function clusterNames(): Promise<void> {
  const scope = new AbortController()
  const service = (n: number): ServiceType => ({
    metadata: { name: `s-${n}`, namespace: 'default' },
    spec: { clusterIP: addressAt(parseCidr('10.96.0.0/16'), n + 20), ports: [{ name: 'http', port: 80 }] },
  })
  const services = fixedInformer(Array.from({ length: SERVICES }, (_, n) => service(n)))
  const endpointSlices = fixedInformer(Array.from({ length: SERVICES }, (_, n) => slice(n, 0)))
  const catalog = createCatalog({ services, endpointSlices }, scope.signal)
  const domain = 'cluster.local'
  const handle = createHandler(createNames(catalog, { domain, ranges: ['10.96.0.0/16'], server: '10.96.0.10' }), domain)
  const upstream = { ask: async () => undefined, close() {} }
  const server = await startDnsServer(NODE, 10_053, { ...deps, handle, upstream })
  const load = join(import.meta.dirname, 'lib/dns-load.ts')
  for (const [what, ...asked] of [
    ['names of services', ...Array.from({ length: 100 }, (_, n) => `s-${n * 7}.default.svc.cluster.local`)],
    [
      'names that are not there',
      ...Array.from({ length: 100 }, (_, n) => `x-${n}.example.com.default.svc.cluster.local`),
    ],
  ]) {
    const before = process.cpuUsage()
    const perSecond = Number(await run(process.execPath, [load, server.address, `${server.port}`, '3000', ...asked]))
    const { user, system } = process.cpuUsage(before)
    rows.push(
      { what: `DNS, ${what}, over UDP, 1,000 services`, unit: '1/s', figures: { Tutti: perSecond } },
      {
        what: 'the same, processor of the server, an answer',
        unit: 'µs',
        figures: { Tutti: (user + system) / perSecond / 3 },
      },
    )
  }
  await server.close()
  scope.abort()
}

/** Names of others, from the memory of answers. */
async function names(): Promise<void> {
  const ask = createDnsCache(async query => {
    const { id, questions } = packet.decode(query)
    const answers = [{ type: 'A', name: 'a.example', ttl: 300, data: '192.0.2.1' }]
    return packet.encode({ type: 'response', id: id!, flags: 0x180, questions: questions!, answers })
  }, realClock)
  const query = packet.encode({ type: 'query', id: 1, flags: 256, questions: [{ type: 'A', name: 'a.example' }] })
  await ask(query, 'a.example', false)
  const { perSecond } = await measure(50_000, 16, () => ask(query, 'a.example', false))
  rows.push({ what: 'answers of others from memory, without the socket', unit: '1/s', figures: { Tutti: perSecond } })
}

await fromTheWrite()
rows.push(...(await serviceTraffic(makeProxy(), folder)))
await policies()
await clusterNames()
await names()
console.log(table(rows))
nft.close()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
