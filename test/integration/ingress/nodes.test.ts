import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Node } from '../../../src/api/kinds/core/node.ts'
import { NODE_TRAFFIC, nodeTrafficUser } from '../../../src/client/node-traffic.ts'
import type { Cluster } from '../../../src/cmd/testing.ts'
import { placesOf, portsText } from '../../../src/gateway/ingress/node-ports.ts'
import { ends, eventsOf, ingress, rule, serve, shownBy, start, startOnNode, statusOf, tlsSecret } from './start.ts'

after(async () => {
  for (const end of ends.reverse()) await end()
})

const ANNOTATION = 'tutti.dev/ingress-ports'

async function createNode(cluster: Cluster, name: string, address: string) {
  const node = await cluster.create<Node>({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} })
  await setReady(cluster, node.metadata!.name!, 'True', address)
}
const setReady = (cluster: Cluster, name: string, status: string, address: string) =>
  cluster
    .objects<Node>('Node')
    .patch(
      { name },
      { status: { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status }] } },
      { type: 'merge', subresource: 'status' },
    )
const annotationOf = async (cluster: Cluster, name: string) =>
  (await cluster.objects<Node>('Node').get({ name })).metadata?.annotations?.[ANNOTATION]

test('nodeGateway serves Ingresses on a node as well, and the status names it while it is ready', async () => {
  const cluster = await start()
  await createNode(cluster, 'b', '192.0.2.2')
  const node = await startOnNode(cluster, 'b')
  assert.equal(node.ports.open.size, 0)
  await serve(cluster, 'web')
  await cluster.create(ingress('web', { rules: [rule('web.example', 'web')] }))
  const both = [{ ip: '127.0.0.1' }, { ip: '192.0.2.2' }]
  await cluster.until(async () => assert.deepEqual(await statusOf(cluster, 'web'), both))
  for (const gateway of [cluster, node])
    assert.deepEqual(await gateway.get('/', 'web.example'), { status: 200, body: 'web' })
  assert.equal(await annotationOf(cluster, 'b'), '80,443')
  await setReady(cluster, 'b', 'Unknown', '192.0.2.2')
  await cluster.until(async () => assert.deepEqual(await statusOf(cluster, 'web'), both.slice(0, 1)))
  await setReady(cluster, 'b', 'True', '192.0.2.2')
  await cluster.until(async () => assert.deepEqual(await statusOf(cluster, 'web'), both))
  await node.stop()
  assert.equal(await annotationOf(cluster, 'b'), undefined)
  await cluster.until(async () => assert.deepEqual(await statusOf(cluster, 'web'), both.slice(0, 1)))
})

test('nodeGateway tells of ports that its machine does not give, and of nothing that the leading one tells', async () => {
  const cluster = await start()
  await createNode(cluster, 'b', '192.0.2.2')
  const node = await startOnNode(cluster, 'b')
  node.ports.refused.set(80, 'EADDRINUSE')
  await cluster.create(ingress('web', { rules: [rule('web.example', 'gone')], tls: [{ hosts: ['web.example'] }] }))
  await cluster.until(async () => assert.equal(await annotationOf(cluster, 'b'), '-80,443'))
  await cluster.until(async () =>
    assert.deepEqual(await statusOf(cluster, 'web'), [
      { ip: '127.0.0.1' },
      {
        ip: '192.0.2.2',
        ports: [
          { port: 80, protocol: 'TCP', error: 'PortNotAvailable' },
          { port: 443, protocol: 'TCP' },
        ],
      },
    ]),
  )
  await cluster.until(async () =>
    assert.deepEqual((await eventsOf(cluster, 'web')).toSorted(), [
      'Warning PortNotAvailable: port 80 of node b: another program has it. Take another one: tutti down, then tutti up --http-port 8880',
      'Warning ServiceNotFound: service default/gone is not there',
    ]),
  )
})

test('nodeGateway shows the certificates of secrets that Ingresses name, and may read no others', async () => {
  const cluster = await start()
  await createNode(cluster, 'b', '192.0.2.2')
  const node = await startOnNode(cluster, 'b')
  for (const name of ['named', 'other']) await cluster.create(await tlsSecret(name, 'web.example'))
  const tls = [{ hosts: ['web.example'], secretName: 'named' }]
  await cluster.create(ingress('web', { rules: [rule('web.example', 'web')], tls }))
  await cluster.until(async () => assert.equal(await annotationOf(cluster, 'b'), '80,443'))
  assert.equal(await shownBy(node, 'web.example'), 'DNS:web.example')
  const own = cluster.server.transport({ name: nodeTrafficUser('b'), groups: [NODE_TRAFFIC, 'system:authenticated'] })
  const read = async (name: string) =>
    (await own({ method: 'GET', path: `/api/v1/namespaces/default/secrets/${name}` })).status
  assert.deepEqual([await read('named'), await read('other'), await read('')], [200, 403, 403])
})

const node = (name: string, more: Partial<Node['metadata']>, address = '192.0.2.1', ready = 'True'): Node => ({
  metadata: { name, ...more },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address },
    ],
    conditions: [{ type: 'Ready', status: ready }],
  },
})

test('placesOf names nodes that are ready, say their ports and are not excluded', () => {
  const open = { number: 80, missing: false }
  const shut = { number: 443, missing: true }
  const annotations = { [ANNOTATION]: portsText(open, shut) }
  const excluded = { annotations, labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } }
  const places = placesOf([
    node('b', { annotations }, '192.0.2.9'),
    node('a', { annotations }, '192.0.2.1'),
    node('lost', { annotations }, '192.0.2.3', 'Unknown'),
    node('excluded', excluded, '192.0.2.4'),
    node('mute', {}, '192.0.2.5'),
    node('odd', { annotations: { [ANNOTATION]: '80' } }, '192.0.2.6'),
  ])
  assert.deepEqual(places, [
    { address: '192.0.2.1', plain: open, secure: shut },
    { address: '192.0.2.9', plain: open, secure: shut },
  ])
})
