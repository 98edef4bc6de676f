/** The whole of a node's network over a real API server: in a network of its own, and portable. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { PodNetwork as AgentPodNetwork } from '../agent/pod-network.ts'
import type { ServiceEnvironment } from '../agent/service-env.ts'
import { kinds } from '../api/kinds/all.ts'
import { ADMIN, startServer, type TestServer } from '../apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import { portableKinds } from '../cmd/portable-kinds.ts'
import { realClock } from '../lib/clock.ts'
import { eventually } from '../lib/eventually.fixture.ts'
import { silent } from '../lib/log.ts'
import type { NetworkMode } from './detect.ts'
import { prepareNetwork } from './network.ts'
import { ask } from './service-proxy/proxy.contract.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { askFromPod, lookUpFromPod, podRequest, serveInPod } from './testing/pods.ts'
import { run } from './tools/command.ts'

const deps = { clock: realClock, logger: silent }

async function startNetwork(server: TestServer, mode: NetworkMode, dataDir: string) {
  const scope = new AbortController()
  const prepared = await prepareNetwork(
    { mode, dataDir, nodeName: 'node-1', netnsDirectory: join(dataDir, 'netns') },
    deps,
  )
  const client = createClient(server.server.transport(ADMIN))
  const informers = createInformers(client, deps, scope.signal)
  const network = await prepared.start({ client, informers }, scope.signal)
  // What `cmd/` relies on: the two contracts of the agent.
  const podNetwork: AgentPodNetwork = network.podNetwork
  const env: ServiceEnvironment = network.serviceEnv
  const stop = async () => {
    await network.close()
    scope.abort()
  }
  return { network, podNetwork, env, stop }
}

const service = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
})
const slice = (name: string, addresses: readonly string[], port = 8080) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
  ports: [{ name: 'http', port, protocol: 'TCP' }],
})
const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'default' },
  spec: { podSelector: {}, ...spec },
})
const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies'
const SERVICES = '/api/v1/namespaces/default/services'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

const answers = (host: string, port: number, wanted: string) =>
  eventually(async () => assert.equal(await ask(host, port), wanted))

const children: ChildProcess[] = []
/** The machine's address on the network to its neighbour. */
const OUTSIDE_FACING = '192.168.99.1'
/** Another machine on the same wire, which sends everything through this one. Resolves with its namespace. */
async function machineOutside(directory: string): Promise<string> {
  const file = join(directory, 'outside')
  writeFileSync(file, '')
  await run(
    'unshare',
    [`--net=${file}`, 'ip', '-batch', '-'],
    `link add wire type veth peer name wire0 netns ${process.pid}
link set lo up
address add 192.168.99.2/24 dev wire
link set wire up
`,
  )
  await run('ip', ['-batch', '-'], `address add ${OUTSIDE_FACING}/24 dev wire0\nlink set wire0 up\n`)
  await run('nsenter', [`--net=${file}`, 'ip', 'route', 'add', 'default', 'via', OUTSIDE_FACING])
  return file
}

const PODS = '/api/v1/namespaces/default/pods'
const podObject = (n: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${n}`, namespace: 'default', labels: { app: 'web' } },
  spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'host' }] },
})

inOwnNetwork(import.meta.filename, 'prepareNetwork with a kernel network', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-kernel-'))
  after(() => {
    for (const child of children) child.kill('SIGKILL')
    spawnSync('sh', ['-c', `umount -l ${dataDir}/outside ${dataDir}/netns/*`])
    rmSync(dataDir, { recursive: true })
  })

  test('prepareNetwork: services, names and load balancers work, and traffic goes on without the program', async () => {
    const server = await startServer()
    const nodeAddress = '10.244.0.1'
    let { network, stop } = await startNetwork(server, 'kernel', dataDir)
    const { ips, netns } = await network.podNetwork.setup(podRequest(1))
    const client = await network.podNetwork.setup(podRequest(2))
    children.push(await serveInPod(netns!, 'from pod 1'))

    const made = await server.send(ADMIN, 'POST', SERVICES, service('web', { type: 'LoadBalancer' }))
    assert.equal(made.status, 201)
    const { clusterIP, ports } = made.object.spec
    assert.equal(await ask(clusterIP, 80), 'ECONNREFUSED', 'no endpoints yet')
    await server.send(ADMIN, 'POST', SLICES, slice('web', ips))
    await answers(clusterIP, 80, 'from pod 1')
    assert.equal(await askFromPod(client.netns!, clusterIP, 80), 'from pod 1')
    assert.equal(await askFromPod(netns!, clusterIP, 80), 'from pod 1', 'a pod reaches itself')
    assert.equal(
      await askFromPod(client.netns!, clusterIP, 81),
      'ECONNREFUSED',
      'a port that the service does not have',
    )
    await answers('127.0.0.1', ports[0].nodePort, 'from pod 1')
    await answers('127.0.0.1', 80, 'from pod 1')
    await eventually(async () => {
      const { object } = await server.send(ADMIN, 'GET', `${SERVICES}/web`)
      assert.equal(object.status.loadBalancer.ingress?.[0].ip, '127.0.0.1')
    })

    assert.equal(await lookUpFromPod(client.netns!, "resolve4('web.default.svc.cluster.local')"), clusterIP)
    assert.equal(await lookUpFromPod(client.netns!, "resolve4('nope.default.svc.cluster.local')"), 'ENOTFOUND')
    const env = network.serviceEnv('default', true)
    assert.equal(env.WEB_SERVICE_HOST, clusterIP)
    assert.equal(env.WEB_SERVICE_PORT_HTTP, '80')
    assert.equal(env.WEB_PORT_80_TCP, `tcp://${clusterIP}:80`)
    assert.equal(network.serviceEnv('default', false).WEB_SERVICE_HOST, undefined)

    const created = await server.send(ADMIN, 'POST', PODS, podObject(1))
    const running = { ...created.object, status: { phase: 'Running', podIP: ips[0], podIPs: [{ ip: ips[0] }] } }
    const written = await server.send(ADMIN, 'PUT', `${PODS}/pod-1/status`, running)
    assert.equal(written.status, 200, written.object.message)
    await server.send(ADMIN, 'POST', POLICIES, policy('deny', { podSelector: { matchLabels: { app: 'web' } } }))
    await eventually(async () => {
      await network.idle()
      assert.equal(await askFromPod(client.netns!, clusterIP, 80, { silence: true }), '', 'a policy shuts the pod')
    })
    assert.equal(await ask(clusterIP, 80), 'from pod 1', 'not for its own node')
    await server.send(ADMIN, 'DELETE', `${POLICIES}/deny`)
    await eventually(async () =>
      assert.equal(await askFromPod(client.netns!, clusterIP, 80, { silence: true }), 'from pod 1'),
    )

    const outside = await machineOutside(dataDir)
    const host = createServer(socket => socket.end('node')).listen(7001, nodeAddress)
    const open = createServer(socket => socket.end('asked for')).listen(7002, OUTSIDE_FACING)
    assert.equal(await askFromPod(outside, OUTSIDE_FACING, 7002), 'asked for', 'the wire works')
    open.close()
    const reached: string[] = []
    for (const [address, port] of [
      [nodeAddress, 7001],
      [ips[0]!, 8080],
      [clusterIP, 80],
      [OUTSIDE_FACING, ports[0].nodePort],
      [OUTSIDE_FACING, 80],
    ] as const)
      if (/from pod|node/.test(await askFromPod(outside, address, port, { silence: true })))
        reached.push(`${address}:${port}`)
    assert.deepEqual(reached, [], 'nothing answers to the outside')
    assert.equal(await askFromPod(client.netns!, nodeAddress, 7001), 'node')
    host.close()

    await stop()
    assert.equal(await ask(clusterIP, 80), 'from pod 1', 'without the program')
    assert.equal(await ask('127.0.0.1', 80), 'from pod 1', 'the load balancer, too')
    ;({ network, stop } = await startNetwork(server, 'kernel', dataDir))
    assert.equal(await ask(clusterIP, 80), 'from pod 1', 'at once after a start')
    assert.equal(await lookUpFromPod(client.netns!, "resolve4('web.default.svc.cluster.local')"), clusterIP)
    assert.deepEqual((await network.podNetwork.setup(podRequest(1))).ips, ips)
    for (const uid of await network.podNetwork.list()) await network.podNetwork.teardown(uid)
    await stop()
    await server.server.close()
  })
})

test('prepareNetwork portable: a pod has ports, services are found by variables, a taken port is told', async t => {
  if (process.env.TUTTI_TEST_OWN_NETWORK) return
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-portable-'))
  const server = await startServer({ kinds: portableKinds(kinds) })
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const takenPort = (taken.address() as { port: number }).port
  const { network, stop } = await startNetwork(server, 'portable', dataDir)
  t.after(async () => {
    await stop()
    taken.close()
    await server.server.close()
    rmSync(dataDir, { recursive: true })
  })
  const result = await network.podNetwork.setup(podRequest(1))
  assert.deepEqual(result.ips, ['127.0.0.1'])
  assert.equal(result.netns, undefined)
  const workload = createServer(socket => socket.end('portable')).listen(result.ports![8080], '127.0.0.1')
  t.after(() => workload.close())

  await server.send(
    ADMIN,
    'POST',
    SERVICES,
    service('web', { type: 'LoadBalancer', ports: [{ name: 'http', port: takenPort }] }),
  )
  const posted = await server.send(ADMIN, 'POST', SLICES, slice('web', result.ips, result.ports![8080]))
  assert.equal(posted.status, 201, posted.object.message)
  await eventually(async () => {
    const env = network.serviceEnv('default', true)
    assert.equal(await ask(env.WEB_SERVICE_HOST!, Number(env.WEB_SERVICE_PORT)), 'portable')
  })
  await eventually(async () => {
    const { object } = await server.send(ADMIN, 'GET', '/api/v1/namespaces/default/events')
    const event = object.items.find(({ reason }: { reason: string }) => reason === 'PortNotAvailable')
    assert.match(
      event?.message ?? '',
      new RegExp(
        `^Port ${takenPort} of 127.0.0.1: another program has it. The service answers on this machine at 127.0.0.1:3\\d{4}, from pods`,
      ),
    )
  })
  await server.send(ADMIN, 'POST', POLICIES, policy('deny', {}))
  await eventually(async () => {
    const { object } = await server.send(ADMIN, 'GET', '/api/v1/namespaces/default/events')
    const event = object.items.find(({ reason }: { reason: string }) => reason === 'NetworkPolicyNotEnforced')
    assert.match(event?.message ?? '', /^The policy has no effect: pods share the loopback/)
  })
  assert.match(network.describe().notes.join(), /portable/)
  await network.podNetwork.teardown(podRequest(1).uid)
})
