/** The whole of a node's network with both families, over a real API server, in a network of its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ADMIN, startServer } from '../apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import { realClock } from '../lib/clock.ts'
import { eventually } from '../lib/eventually.fixture.ts'
import { silent } from '../lib/log.ts'
import { prepareNetwork } from './network.ts'
import { ask } from './service-proxy/proxy.contract.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { askFromPod, lookUpFromPod, podRequest, serveInPod } from './testing/pods.ts'

const deps = { clock: realClock, logger: silent }
const RANGES = {
  podCidr: '10.244.0.0/24,fd00:10:244::/64',
  serviceCidr: '10.96.0.0/16,fd00:10:96::/112',
} as const
const SERVICES = '/api/v1/namespaces/default/services'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies'
const PODS = '/api/v1/namespaces/default/pods'

inOwnNetwork(import.meta.filename, 'prepareNetwork of two families', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-two-'))
  let child: ChildProcess | undefined
  after(() => {
    child?.kill('SIGKILL')
    spawnSync('sh', ['-c', `umount -l ${dataDir}/netns/*`])
    rmSync(dataDir, { recursive: true })
  })
  test('prepareNetwork: services, names and policies hold in both families', async () => {
    const { server, send } = await startServer({ extensions: { serviceCidr: RANGES.serviceCidr } })
    const scope = new AbortController()
    const options = { mode: 'kernel', dataDir, nodeName: 'node-1', netnsDirectory: join(dataDir, 'netns') } as const
    const prepared = await prepareNetwork({ ...options, ...RANGES }, deps)
    assert.deepEqual(prepared.nodeAddresses, ['10.244.0.1', 'fd00:10:244::1'])
    const client = createClient(server.transport(ADMIN))
    const informers = createInformers(client, deps, scope.signal)
    const network = await prepared.start({ client, informers }, scope.signal)
    const serving = await network.podNetwork.setup(podRequest(1))
    const asking = await network.podNetwork.setup(podRequest(2))
    assert.match(serving.ips.join(), /^10\.244\.0\.\d+,fd00:10:244::[0-9a-f]+$/)
    child = await serveInPod(serving.netns!, 'here')

    const spec = { ipFamilyPolicy: 'RequireDualStack', ports: [{ name: 'http', port: 80, targetPort: 8080 }] }
    const metadata = { name: 'web', namespace: 'default' }
    const { object } = await send(ADMIN, 'POST', SERVICES, { apiVersion: 'v1', kind: 'Service', metadata, spec })
    const [v4, v6] = object.spec.clusterIPs as [string, string]
    for (const [at, addressType] of (['IPv4', 'IPv6'] as const).entries())
      await send(ADMIN, 'POST', SLICES, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, name: `web-${at}`, labels: { 'kubernetes.io/service-name': 'web' } },
        addressType,
        endpoints: [{ addresses: [serving.ips[at]], conditions: { ready: true } }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      })
    for (const host of [v4, v6]) {
      await eventually(async () => assert.equal(await ask(host, 80), 'here'))
      assert.equal(await askFromPod(asking.netns!, host, 80), 'here')
      assert.equal(await askFromPod(serving.netns!, host, 80), 'here', 'itself')
    }
    assert.equal(await lookUpFromPod(asking.netns!, "resolve4('web.default.svc.cluster.local')"), v4)
    assert.equal(await lookUpFromPod(asking.netns!, "resolve6('web.default.svc.cluster.local')"), v6)
    for (const host of [v4, v6])
      assert.equal(await lookUpFromPod(asking.netns!, `reverse('${host}')`), 'web.default.svc.cluster.local')

    const ips = serving.ips.map(ip => ({ ip }))
    const { name, uid } = podRequest(1)
    const made = await send(ADMIN, 'POST', PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', uid, labels: { app: 'web' } },
      spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'host' }] },
    })
    assert.equal(made.status, 201, made.object.message)
    await send(ADMIN, 'PUT', `${PODS}/${name}/status`, { ...made.object, status: { podIP: ips[0]!.ip, podIPs: ips } })
    // Only the second family of the one that asks.
    const from = [{ ipBlock: { cidr: `${asking.ips[1]}/128` } }]
    const posted = await send(ADMIN, 'POST', POLICIES, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'some', namespace: 'default' },
      spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from }] },
    })
    assert.equal(posted.status, 201, posted.object.message)
    await eventually(async () => assert.equal(await askFromPod(asking.netns!, v4, 80, { silence: true }), ''))
    assert.equal(await askFromPod(asking.netns!, v6, 80), 'here')
    for (const each of await network.podNetwork.list()) await network.podNetwork.teardown(each)
    await network.close()
    scope.abort()
    await server.close()
  })
})
