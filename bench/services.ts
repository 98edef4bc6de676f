/**
 * Services and policies of a node in a network namespace of its own: how long one change takes from the write to the API
 * server until the kernel has it, with 1,000 services of 10 endpoints; what a service costs a stream of bytes, beside
 * the same stream without it; one pod's change with 1,000 pods under 100 policies; DNS answers for names of others.
 * `node bench/services.ts`, as root or where user namespaces are allowed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
import { startPolicies } from '../src/network/policy/start.ts'
import { createNftablesProxy } from '../src/network/service-proxy/nftables/proxy.ts'
import type { ServiceProxy } from '../src/network/service-proxy/proxy.ts'
import { startProxySync } from '../src/network/service-proxy/sync.ts'
import { fixedInformer } from '../src/network/testing/fixed-informer.ts'
import { makeMachine } from '../src/network/testing/machine.ts'
import { startNft } from '../src/network/tools/nft.ts'
import { measure, median, type Row, table } from './lib/measure.ts'
import { enterOwnNetwork, layOutNode, NODE } from './lib/own-network.ts'

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
  const { p50, p99 } = await measure(CHANGES, 1, change(100))
  rows.push(
    {
      what: 'one endpoint, from the write to the kernel, 1,000 services of 10, p50',
      unit: 'ms',
      figures: { Tutti: p50 },
    },
    {
      what: 'one endpoint, from the write to the kernel, 1,000 services of 10, p99',
      unit: 'ms',
      figures: { Tutti: p99 },
    },
  )
  scope.abort()
  await server.server.close()
}

/** Sends as fast as it can for a while; prints bytes per second. */
const READER = `const s = require('net').connect(Number(process.argv[2]), process.argv[1]); let n = 0, began
s.on('data', d => { began ??= performance.now(); n += d.length })
s.on('connect', () => setTimeout(() => { console.log(n / (performance.now() - began) * 1000); process.exit() }, 1500))`

/** A stream between two pods, directly and through a service, in turns. */
async function throughput(): Promise<void> {
  const pod = (link: string, address: string) =>
    makeMachine(folder, {
      link,
      addresses: [`${address}/32`],
      here: `route add ${address}/32 dev ${link} src ${NODE}`,
      there: `route add ${NODE}/32 dev eth0\nroute add default via ${NODE} dev eth0`,
    })
  const machines = [await pod('tutti-a', '10.244.0.5'), await pod('tutti-b', '10.244.0.6')]
  const source = `const b = Buffer.alloc(1 << 18); require('net').createServer(s => { const w = () => { while (s.write(b)); }; s.on('drain', w).on('error', () => {}); w() }).listen(8080, '10.244.0.6')`
  const server = spawn('nsenter', [`--net=${join(folder, 'tutti-b')}`, process.execPath, '-e', source])
  const proxy = makeProxy()
  await proxy.apply(
    new Map([
      [
        'default/stream',
        [
          {
            id: 'default/stream:80',
            protocol: 'tcp',
            frontends: [{ kind: 'cluster', address: '10.96.200.1', port: 80 }],
            backends: [{ address: '10.244.0.6', port: 8080 }],
          },
        ],
      ],
    ]),
  )
  const read = (host: string, port: number) =>
    Number(
      execFileSync('nsenter', [
        `--net=${join(folder, 'tutti-a')}`,
        process.execPath,
        '-e',
        READER,
        host,
        String(port),
      ]).toString(),
    )
  await new Promise(resolve => setTimeout(resolve, 1000))
  const [direct, through]: [number[], number[]] = [[], []]
  for (let round = 0; round < 7; round++) {
    direct.push(read('10.244.0.6', 8080))
    through.push(read('10.96.200.1', 80))
  }
  rows.push({
    what: 'a stream between two pods through a service',
    unit: 'MB/s',
    figures: { Tutti: median(through) / 1e6, 'without a service': median(direct) / 1e6 },
  })
  server.kill()
  for (const machine of machines) await machine.close()
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
await throughput()
await policies()
await names()
console.log(table(rows))
nft.close()
rmSync(folder, { recursive: true, force: true })
process.exit(0)
