/**
 * A node's network in a network namespace of its own: how long a change of endpoints takes to the data plane with 10,
 * 1,000 and 5,000 services of 10 endpoints, pods' networks made and removed, DNS answers, and a connection through a
 * service. `node bench/network.ts`, as root or where user namespaces are allowed. Baselines, in the same run:
 * kube-proxy's way (a chain per service and endpoint, one `nft -f` per change), one command of `ip` per step for a
 * pod, a UDP server that only echoes for DNS, a connection without a service.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packet from 'dns-packet'
import type { Service } from '../src/api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../src/api/generated/types/discovery-v1.ts'
import { realClock } from '../src/lib/clock.ts'
import { addressAt, parseCidr } from '../src/lib/ip-range.ts'
import { silent } from '../src/lib/log.ts'
import { createCatalog } from '../src/network/catalog.ts'
import { createHandler } from '../src/network/dns/message.ts'
import { createNames } from '../src/network/dns/names.ts'
import { startDnsServer } from '../src/network/dns/server.ts'
import { startKernelPodNetwork } from '../src/network/pod-network/kernel.ts'
import { createNftablesProxy } from '../src/network/service-proxy/nftables/proxy.ts'
import { startProxySync } from '../src/network/service-proxy/sync.ts'
import { fixedInformer } from '../src/network/testing/fixed-informer.ts'
import { startIp } from '../src/network/tools/ip.ts'
import { startNft } from '../src/network/tools/nft.ts'
import { measure, median, type Row, sleep, table } from './lib/measure.ts'
import { enterOwnNetwork, layOutNode, NODE } from './lib/own-network.ts'

enterOwnNetwork()
layOutNode()

const ENDPOINTS = 10
const CHANGES = 200
const KUBE_PROXY = "kube-proxy's way"
const STEPS = 'a command a step'
const folder = mkdtempSync(join(tmpdir(), 'bench-network-'))
const deps = { clock: realClock, logger: silent }
const rows: Row[] = []

const SERVICES = parseCidr('10.96.0.0/16')
const ENDPOINT_RANGE = parseCidr('10.128.0.0/9')
const clusterIp = (n: number) => addressAt(SERVICES, 256 + n)
const endpoint = (n: number, k: number, round = 0) => addressAt(ENDPOINT_RANGE, n * 64 + k + round * 11)
const service = (n: number): Service => ({
  metadata: { name: `s-${n}`, namespace: 'default' },
  spec: { clusterIP: clusterIp(n), clusterIPs: [clusterIp(n)], ports: [{ name: 'http', port: 80 }] },
})
const slice = (n: number, addresses: readonly string[], port = 8080): EndpointSlice => ({
  addressType: 'IPv4',
  metadata: { name: `s-${n}-a`, namespace: 'default', labels: { 'kubernetes.io/service-name': `s-${n}` } },
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name: 'http', port, protocol: 'TCP' }],
})
const list = (n: number, round = 0) =>
  Array.from({ length: ENDPOINTS }, (_, k) => endpoint(n, k, round && k === 3 ? round : 0))

/** The same services as kube-proxy's nftables mode lays them out. */
function chainPerEndpoint(count: number): string {
  const lines = ['table ip peer {', 'set hairpin { type ipv4_addr . ipv4_addr; }']
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < ENDPOINTS; k++)
      lines.push(`chain e-${n}-${k} { meta l4proto tcp dnat to ${endpoint(n, k)}:8080; }`)
    const choices = Array.from({ length: ENDPOINTS }, (_, k) => `${k} : goto e-${n}-${k}`)
    lines.push(`chain s-${n} { numgen random mod ${ENDPOINTS} vmap { ${choices.join(', ')} }; }`)
  }
  const keys = Array.from({ length: count }, (_, n) => `${clusterIp(n)} . tcp . 80 : goto s-${n}`)
  lines.push(
    `map services { type ipv4_addr . inet_proto . inet_service : verdict; elements = { ${keys.join(',\n')} }; }`,
  )
  lines.push(
    'chain pre { type nat hook prerouting priority dstnat; ip daddr . meta l4proto . th dport vmap @services; }',
    '}',
  )
  return lines.join('\n')
}

async function spawned(args: readonly string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn('nft', args, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('exit', code => (code ? reject(new Error(`nft ${args.join(' ')}: exit code ${code}`)) : resolve()))
  })
}

async function peerChanges(count: number) {
  const file = join(folder, 'peer.nft')
  writeFileSync(file, chainPerEndpoint(count))
  const full = await measure(1, 1, () => spawned(['-f', file]))
  const change = await measure(50, 1, async index => {
    const n = index % count
    writeFileSync(
      file,
      `flush chain ip peer e-${n}-3\nadd rule ip peer e-${n}-3 meta l4proto tcp dnat to ${endpoint(n, 3, index)}:8080\n`,
    )
    await spawned(['-f', file])
  })
  await spawned(['delete', 'table', 'ip', 'peer'])
  return { full, change }
}

async function endpointChanges(count: number): Promise<void> {
  const signal = new AbortController()
  const services = fixedInformer(Array.from({ length: count }, (_, n) => service(n)))
  const slices = fixedInformer(Array.from({ length: count }, (_, n) => slice(n, list(n))))
  const catalog = createCatalog({ services, endpointSlices: slices }, signal.signal)
  const nft = startNft(folder)
  const proxy = createNftablesProxy(
    { family: 'IPv4', serviceCidr: '10.96.0.0/16', podLinks: '"tutti-*"', nodeAddress: NODE, exposed: false },
    { ...deps, nft },
  )
  const began = performance.now()
  const sync = await startProxySync({ ...deps, catalog, proxy }, signal.signal)
  const start = performance.now() - began
  const change = await measure(CHANGES, 1, async index => {
    slices.put(slice(index % count, list(index % count, index + 1)))
    await sync.idle()
  })
  const many = performance.now()
  for (let n = 0; n < Math.min(count, 50); n++) slices.put(slice(n, list(n, 9)))
  await sync.idle()
  const together = performance.now() - many
  await checkTraffic(slices, sync)
  signal.abort()
  nft.close()
  await spawned(['delete', 'table', 'ip', 'tutti'])
  const peer = await peerChanges(count)
  const what = `${count.toLocaleString('en')} services`
  rows.push(
    {
      what: `endpoint change, ${what}, p50`,
      unit: 'ms',
      figures: { Tutti: change.p50, [KUBE_PROXY]: peer.change.p50 },
      lessIsBetter: true,
    },
    {
      what: `endpoint change, ${what}, p99`,
      unit: 'ms',
      figures: { Tutti: change.p99, [KUBE_PROXY]: peer.change.p99 },
      lessIsBetter: true,
    },
    {
      what: `${Math.min(count, 50)} services changed at once, ${what}`,
      unit: 'ms',
      figures: { Tutti: together },
      lessIsBetter: true,
    },
    {
      what: `all rules at the start, ${what}`,
      unit: 'ms',
      figures: { Tutti: start, [KUBE_PROXY]: peer.full.p50 },
      lessIsBetter: true,
    },
  )
}

const roundTrip = (host: string, port: number) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ host, port })
    socket.once('error', reject)
    socket.once('data', data => {
      socket.destroy()
      resolve(String(data))
    })
  })

/** A change that nobody can connect through is no change; and what a service adds to a connection. */
async function checkTraffic(slices: ReturnType<typeof fixedInformer<EndpointSlice>>, sync: { idle(): Promise<void> }) {
  const server = createServer(socket => socket.end('here')).listen(0, NODE)
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  slices.put(slice(0, [NODE], port))
  await sync.idle()
  if ((await roundTrip(clusterIp(0), 80)) !== 'here') throw new Error('the change did not reach the data plane')
  const through = await measure(2000, 1, () => roundTrip(clusterIp(0), 80))
  const direct = await measure(2000, 1, () => roundTrip(NODE, port))
  if (!rows.some(({ what }) => what.startsWith('connection')))
    rows.push({
      what: 'connection through a service, p50',
      unit: 'ms',
      figures: { Tutti: through.p50, 'without a service': direct.p50 },
      lessIsBetter: true,
    })
  server.close()
}

/** Like `measure`, with a pause before each call. */
async function spaced(n: number, work: (index: number) => Promise<unknown>) {
  const times: number[] = []
  for (let index = 0; index < n; index++) {
    await sleep(700)
    const start = performance.now()
    await work(index)
    times.push(performance.now() - start)
  }
  return { p50: median(times) }
}

const PODS = parseCidr('10.244.0.0/24')

async function pods(spares: number): Promise<void> {
  const [ip, nft] = [startIp(), startNft(folder)]
  const network = await startKernelPodNetwork(
    {
      ranges: [{ podCidr: PODS, nodeAddress: NODE, clusterCidr: PODS }],
      directory: join(folder, 'pods'),
      netnsDirectory: join(folder, 'netns'),
      mtu: 1500,
      dns: { servers: [], clusterDomain: 'cluster.local' },
      exposed: false,
      spares,
    },
    { ...deps, ip, nft },
    new AbortController().signal,
  )
  const uid = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`
  const pod = (n: number) => ({ namespace: 'default', name: `p-${n}`, uid: uid(n), hostname: `p-${n}`, ports: [] })
  if (spares > 0) {
    // One pod at a time, each when the last one has settled.
    const ready = await spaced(20, n => network.setup(pod(1000 + n)))
    rows.push({
      what: 'network of a pod that comes alone, p50',
      unit: 'ms',
      figures: { Tutti: ready.p50 },
      lessIsBetter: true,
    })
    return
  }
  const setup = await measure(60, 1, n => network.setup(pod(n)))
  const teardown = await measure(60, 1, n => network.teardown(uid(n)))
  const began = performance.now()
  await Promise.all(Array.from({ length: 30 }, (_, n) => network.setup(pod(100 + n))))
  const parallel = performance.now() - began
  const ending = performance.now()
  await Promise.all(Array.from({ length: 30 }, (_, n) => network.teardown(uid(100 + n))))
  const ended = performance.now() - ending
  const step = async (...args: string[]) => {
    const child = spawn('ip', args, { stdio: 'inherit' })
    await new Promise<void>((resolve, reject) =>
      child.once('exit', code => (code ? reject(new Error(`ip ${args.join(' ')}`)) : resolve())),
    )
  }
  const inside = (n: number, ...args: string[]) => step('-n', `bench-${n}`, ...args)
  const steps = await measure(30, 1, async n => {
    await step('netns', 'add', `bench-${n}`)
    await step('link', 'add', `bench${n}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `bench-${n}`)
    await step('link', 'set', `bench${n}`, 'up')
    await step('route', 'add', `10.244.1.${n}/32`, 'dev', `bench${n}`)
    await inside(n, 'link', 'set', 'lo', 'up')
    await inside(n, 'address', 'add', `10.244.1.${n}/32`, 'dev', 'eth0')
    await inside(n, 'link', 'set', 'eth0', 'up')
    await inside(n, 'route', 'add', 'default', 'via', NODE, 'dev', 'eth0', 'onlink')
  })
  for (let n = 0; n < 30; n++) await step('netns', 'delete', `bench-${n}`)
  rows.push(
    {
      what: 'network of a pod, p50',
      unit: 'ms',
      figures: { Tutti: setup.p50, [STEPS]: steps.p50 },
      lessIsBetter: true,
    },
    {
      what: 'network of a pod, p99',
      unit: 'ms',
      figures: { Tutti: setup.p99, [STEPS]: steps.p99 },
      lessIsBetter: true,
    },
    { what: '30 pods side by side', unit: 'ms', figures: { Tutti: parallel }, lessIsBetter: true },
    { what: 'network of a pod removed, p50', unit: 'ms', figures: { Tutti: teardown.p50 }, lessIsBetter: true },
    { what: '30 removed side by side', unit: 'ms', figures: { Tutti: ended }, lessIsBetter: true },
  )
  ip.close()
  nft.close()
}

/** Queries with `width` in flight, from this process: client and server share the core. */
async function ask(port: number, bytes: Buffer, count: number, width: number): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  const began = performance.now()
  let sent = width
  let got = 0
  await new Promise<void>(resolve => {
    socket.on('message', () => {
      got++
      if (got === count) resolve()
      else if (sent < count) {
        sent++
        socket.send(bytes, port, '127.0.0.1')
      }
    })
    for (let n = 0; n < width; n++) socket.send(bytes, port, '127.0.0.1')
  })
  socket.close()
  return (count / (performance.now() - began)) * 1000
}

async function dns(): Promise<void> {
  const services = fixedInformer(Array.from({ length: 5000 }, (_, n) => service(n)))
  const catalog = createCatalog(
    { services, endpointSlices: fixedInformer<EndpointSlice>() },
    new AbortController().signal,
  )
  const names = createNames(catalog, { domain: 'cluster.local', ranges: ['10.96.0.0/16'], server: '10.96.0.10' })
  const handle = createHandler(names, 'cluster.local')
  const server = await startDnsServer('127.0.0.1', 0, {
    handle,
    upstream: { ask: async () => undefined, close() {} },
    logger: silent,
  })
  const bytes = packet.encode({
    type: 'query',
    id: 1,
    flags: 256,
    questions: [{ type: 'A', name: 's-4999.default.svc.cluster.local' }],
  })
  const echo = createSocket('udp4')
  echo.on('message', (message, { port, address }) => echo.send(message, port, address))
  await new Promise<void>(resolve => echo.bind(0, '127.0.0.1', resolve))
  const own = await ask(server.port, bytes, 30_000, 16)
  const other = await ask(echo.address().port, bytes, 30_000, 16)
  const began = performance.now()
  for (let n = 0; n < 50_000; n++) handle(bytes, { tcp: false })
  const alone = 50_000 / ((performance.now() - began) / 1000)
  rows.push(
    { what: 'DNS answers, client in the same process', unit: '1/s', figures: { Tutti: own, 'UDP echo': other } },
    { what: 'DNS answers, without the socket', unit: '1/s', figures: { Tutti: alone } },
  )
  await server.close()
  echo.close()
}

for (const count of [10, 1000, 5000]) await endpointChanges(count)
await pods(0)
await pods(4)
await dns()
// One table a baseline.
for (const baseline of new Set(rows.flatMap(({ figures }) => Object.keys(figures).slice(1))))
  console.log(`${table(rows.filter(({ figures }) => baseline in figures))}\n`)
console.log(table(rows.filter(({ figures }) => Object.keys(figures).length === 1)))
// What is still mounted ends with this process' namespace; its places are in the way of the folder's end.
spawnSync('sh', ['-c', `umount -l ${folder}/netns/*`])
rmSync(folder, { recursive: true, force: true })
process.exit(0)
