import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Node, Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import type { Client } from '../../client/client.ts'
import { eventually } from '../../lib/eventually.fixture.ts'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type Catalog, createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { type Machine, makeMachine } from '../testing/machine.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { run } from '../tools/command.ts'
import { startIp } from '../tools/ip.ts'
import { candidates, holderOf, poolAddressesOf, startAnnouncing, withdrawAll } from './announce.ts'

const node = (name: string, ready = true, labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  status: {
    addresses: [{ type: 'InternalIP', address: `192.0.2.${name.length}` }],
    conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
  },
})
const service = (ips: readonly string[], spec: object = {}): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { type: 'LoadBalancer', ...spec },
  status: { loadBalancer: { ingress: ips.map(ip => ({ ip, ipMode: 'VIP' })) } },
})
const slice = (...nodes: string[]): EndpointSlice => ({
  metadata: { name: 'web-1', namespace: 'default', labels: { [SERVICE_NAME]: 'web' } },
  addressType: 'IPv4',
  endpoints: nodes.map(nodeName => ({ addresses: ['10.244.0.9'], nodeName, conditions: { ready: true } })),
  ports: [],
})

test('holderOf spreads addresses over nodes, and moves only those of a node that is gone', () => {
  const nodes = ['a', 'b', 'c']
  const addresses = Array.from({ length: 60 }, (_, at) => `192.0.2.${at + 100}`)
  const before = addresses.map(address => holderOf(address, nodes))
  for (const name of nodes) assert.ok(before.filter(each => each === name).length > 5, name)
  const after = addresses.map(address => holderOf(address, ['c', 'a']))
  for (const [at, was] of before.entries()) if (was !== 'b') assert.equal(after[at], was)
  assert.equal(holderOf('192.0.2.1', []), undefined)
})

test('candidates are Ready nodes that are not excluded, and with a policy of Local those with endpoints', () => {
  const exclude = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
  const nodes = [node('a'), node('bb'), node('ccc', false), node('dddd', true, exclude)]
  const catalog = { slices: () => [slice('bb', 'ccc')] } as unknown as Catalog
  const of = (spec: object) => candidates(service([], spec), '192.0.2.100', nodes, catalog)
  assert.deepEqual(of({}), ['a', 'bb'])
  assert.deepEqual(of({ externalTrafficPolicy: 'Local' }), ['bb'])
})

test('poolAddressesOf leaves out addresses of nodes, and services of other classes', () => {
  const ips = ['192.0.2.1', '192.0.2.100', '127.0.0.1']
  assert.deepEqual(poolAddressesOf(service(ips), [node('a')]), ['192.0.2.100'])
  assert.deepEqual(poolAddressesOf(service(ips, { loadBalancerClass: 'x.io/y' }), [node('a')]), [])
  assert.deepEqual(poolAddressesOf(service(ips, { type: 'ClusterIP' }), [node('a')]), [])
})

inOwnNetwork(import.meta.filename, 'startAnnouncing works in a network of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-announce-'))
  const VIP = '192.0.2.100'
  const VIP6 = '2001:db8:1::100'
  const scope = new AbortController()
  const [ip, clock] = [startIp(), virtualClock()]
  const file = join(directory, 'announced.json')
  const nodes = fixedInformer<Node>([node('a')])
  const services = fixedInformer<Service>([])
  const endpointSlices = fixedInformer<EndpointSlice>([])
  const catalog = createCatalog({ services, endpointSlices }, scope.signal)
  const told: string[] = []
  let reachable = true
  let renewals = 0
  const client = {
    kind: () => ({
      get: async () => {
        renewals++
        if (!reachable) throw new Error('away')
      },
    }),
  } as unknown as Client
  const events = { event: (_: unknown, __: string, reason: string) => void told.push(reason) } as never
  let outside: Machine
  let announced: Awaited<ReturnType<typeof startAnnouncing>>
  const shown = () => run('ip', ['-o', 'address', 'show', 'dev', 'wire'])

  before(async () => {
    outside = await makeMachine(directory, {
      link: 'wire',
      addresses: ['192.0.2.2/24', '2001:db8:1::2/64'],
      here: 'address add 192.0.2.1/24 dev wire\naddress add 2001:db8:1::1/64 dev wire nodad',
      there: `neigh replace ${VIP} lladdr 02:00:00:00:00:01 dev eth0 nud stale`,
    })
    announced = await startAnnouncing(
      { catalog, nodes, nodeName: 'a', file, client, events, ip, clock, logger: silent },
      scope.signal,
    )
  })
  after(async () => {
    scope.abort()
    ip.close()
    await outside.close()
    rmSync(directory, { recursive: true })
  })

  test('an address is put on the node that is chosen, and the segment hears of it', async () => {
    services.put(service([VIP, VIP6, '203.0.113.9']))
    await announced.idle()
    assert.match(await shown(), /192\.0\.2\.100\/32.*valid_lft forever/s)
    assert.match(await shown(), /2001:db8:1::100\/128/)
    assert.deepEqual(told.toSorted(), ['AddressAnnounced', 'AddressAnnounced', 'AddressNotAnnounced'])
    for (const host of [VIP, VIP6]) {
      const server = createServer(socket => socket.end('here')).listen(8080, host)
      await once(server, 'listening')
      try {
        assert.equal(await outside.ask(host, 8080), 'here')
      } finally {
        server.close()
      }
    }
  })

  test('beside other nodes it has a lifetime, which is renewed only while the API answers', async () => {
    nodes.put(node('bb', false))
    services.put(service([VIP], { externalTrafficPolicy: 'Cluster' }))
    await announced.idle()
    reachable = false
    await clock.advance(11_000)
    assert.match(await shown(), /192\.0\.2\.100\/32.*valid_lft forever/s, 'as it was')
    reachable = true
    await clock.advance(11_000)
    await eventually(async () => assert.match(await shown(), /192\.0\.2\.100\/32[^\n]*valid_lft (3[0-5]|2\d)sec/s))
    assert.ok(!(await shown()).includes(VIP6), 'one that the service has no more is gone')
  })

  test('an address is renewed in time, however often services change', async () => {
    const before = renewals
    for (const internalTrafficPolicy of ['Local', 'Cluster', 'Local']) {
      services.put(service([VIP], { internalTrafficPolicy }))
      await announced.idle()
      await clock.advance(6000)
    }
    assert.ok(renewals > before)
  })

  test('withdrawAll takes off what is left', async () => {
    await withdrawAll(file)
    assert.ok(!(await shown()).includes(VIP))
    nodes.put(node('a', false))
    await announced.idle()
    nodes.put(node('a'))
    await announced.idle()
    assert.ok((await shown()).includes(VIP), 'a node that is Ready again has it again')
  })

  test('an address leaves a node that is not to have it', async () => {
    nodes.put(node('a', false))
    await announced.idle()
    assert.ok(!(await shown()).includes(VIP))
  })
})
