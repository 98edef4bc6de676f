import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { portBackends, servicePorts, targetOf } from './service-ports.ts'

const service = (spec: Service['spec'], status?: Service['status']): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7'], ports: [{ name: 'http', port: 80 }], ...spec },
  ...(status && { status }),
})
const slice = (
  endpoints: Endpoint[],
  ports: EndpointSlice['ports'] = [{ name: 'http', port: 8080 }],
): EndpointSlice => ({
  addressType: 'IPv4',
  endpoints,
  ports: ports!,
})
const at = (address: string, conditions?: Endpoint['conditions']): Endpoint => ({
  addresses: [address],
  ...(conditions && { conditions }),
})
const addresses = (spec: Service['spec'], ...slices: EndpointSlice[]) =>
  servicePorts(service(spec), slices).map(({ backends }) => backends.map(({ address, port }) => `${address}:${port}`))

test('servicePorts takes ready endpoints of all slices, sorted and once each', () => {
  assert.deepEqual(
    addresses(
      {},
      slice([at('10.244.0.9'), at('10.244.0.5', { ready: true })]),
      slice([at('10.244.0.9'), at('10.244.0.6', { ready: false })]),
    ),
    [['10.244.0.5:8080', '10.244.0.9:8080']],
  )
})

test('servicePorts takes endpoints that serve while they end only when none is ready', () => {
  const ending = at('10.244.0.5', { ready: false, serving: true, terminating: true })
  assert.deepEqual(addresses({}, slice([ending])), [['10.244.0.5:8080']])
  assert.deepEqual(addresses({}, slice([ending, at('10.244.0.6', { ready: true })])), [['10.244.0.6:8080']])
  assert.deepEqual(addresses({}, slice([at('10.244.0.5', { ready: false, serving: false, terminating: true })])), [[]])
})

test('servicePorts matches ports by name and protocol', () => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' as const },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' as const },
  ]
  const made = servicePorts(service({ ports }), [
    slice(
      [at('10.244.0.5')],
      [
        { name: 'dns', port: 1053, protocol: 'UDP' },
        { name: 'dns-tcp', port: 2053, protocol: 'TCP' },
      ],
    ),
  ])
  assert.deepEqual(
    made.map(({ id, protocol, backends }) => [id, protocol, backends[0]?.port]),
    [
      ['default/web:dns', 'udp', 1053],
      ['default/web:dns-tcp', 'tcp', 2053],
    ],
  )
})

const frontends: readonly [
  title: string,
  spec: Service['spec'],
  status: Service['status'],
  wanted: readonly string[],
][] = [
  ['ClusterIP', {}, {}, ['cluster 10.96.0.7:80']],
  [
    'NodePort',
    { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] },
    {},
    ['cluster 10.96.0.7:80', 'node *:30001'],
  ],
  [
    'LoadBalancer with an address',
    { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30001 }] },
    { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } },
    ['cluster 10.96.0.7:80', 'load-balancer 127.0.0.1:80', 'node *:30001'],
  ],
  [
    'LoadBalancer whose port could not be had',
    { type: 'LoadBalancer', ports: [{ port: 80 }] },
    {
      loadBalancer: {
        ingress: [{ ip: '127.0.0.1', ports: [{ port: 80, protocol: 'TCP', error: 'PortNotAvailable' }] }],
      },
    },
    ['cluster 10.96.0.7:80'],
  ],
  ['external addresses', { externalIPs: ['192.0.2.9'] }, {}, ['cluster 10.96.0.7:80', 'external 192.0.2.9:80']],
  [
    'LoadBalancer that is a proxy of its own',
    { type: 'LoadBalancer' },
    { loadBalancer: { ingress: [{ ip: '192.0.2.7', ipMode: 'Proxy' }] } },
    ['cluster 10.96.0.7:80'],
  ],
  ['IPv6 is left out', { clusterIPs: ['10.96.0.7', 'fd00::1'] }, {}, ['cluster 10.96.0.7:80']],
]
for (const [title, spec, status, wanted] of frontends)
  test(`servicePorts gives the frontends of: ${title}`, () => {
    const [port] = servicePorts(service(spec, status), [])
    assert.deepEqual(
      port?.frontends.map(({ kind, address = '*', port: number }) => `${kind} ${address}:${number}`),
      wanted,
    )
  })

for (const [title, spec] of [
  ['headless', { clusterIP: 'None', clusterIPs: ['None'] }],
  ['ExternalName', { type: 'ExternalName', externalName: 'example.com', clusterIP: '' }],
  ['not allocated yet', { clusterIP: '', clusterIPs: [] }],
] as const)
  test(`servicePorts gives nothing for a service that is ${title}`, () => {
    assert.deepEqual(servicePorts(service(spec as unknown as Service['spec']), []), [])
  })

for (const label of ['service-proxy-name', 'headless'])
  test(`servicePorts leaves a service with the label ${label} to others`, () => {
    const labelled = service({})
    labelled.metadata!.labels = { [`service.kubernetes.io/${label}`]: '' }
    assert.deepEqual(servicePorts(labelled, [slice([at('10.244.0.5')])]), [])
  })

test('servicePorts leaves out a slice with the label headless', () => {
  const labelled = { ...slice([at('10.244.0.5')]), metadata: { labels: { 'service.kubernetes.io/headless': '' } } }
  assert.deepEqual(addresses({}, labelled, slice([at('10.244.0.6')])), [['10.244.0.6:8080']])
})

test('servicePorts reads affinity, with three hours where no timeout is given', () => {
  const seconds = (spec: Service['spec']) => servicePorts(service(spec), [])[0]?.affinitySeconds
  assert.equal(seconds({ sessionAffinity: 'ClientIP' }), 10_800)
  assert.equal(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }), 5)
  assert.equal(seconds({ sessionAffinity: 'None' }), undefined)
})

const onNodes = (spec: Service['spec'], endpoints: Endpoint[], place = { nodeName: 'a', zone: 'z1' }) => {
  const [port] = servicePorts(service(spec), [slice(endpoints)], place)
  const names = (target: { backends: readonly { address: string }[]; empty: string } | undefined) =>
    target && (target.backends.map(({ address }) => address.split('.')[3]).join() || target.empty)
  return port!.frontends.map(
    frontend =>
      `${frontend.kind}: ${names(targetOf(port!, frontend))}${frontend.outside ? `, outside: ${names(frontend.outside)}` : ''}`,
  )
}
const on = (n: number, nodeName: string, more: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [`10.244.0.${n}`],
  nodeName,
  ...more,
})
const ends = { conditions: { ready: false, serving: true, terminating: true } }
const zone = (...names: string[]) => ({ hints: { forZones: names.map(name => ({ name })) } })
const node = (...names: string[]) => ({ hints: { forNodes: names.map(name => ({ name })), ...zone('z1').hints } })
const outer: Service['spec'] = {
  type: 'NodePort',
  externalTrafficPolicy: 'Local',
  ports: [{ name: 'http', port: 80, nodePort: 30001 }],
}

const places: readonly [title: string, spec: Service['spec'], endpoints: Endpoint[], wanted: readonly string[]][] = [
  ['no policy: all nodes', {}, [on(5, 'a'), on(6, 'b')], ['cluster: 5,6']],
  ['internal Local: this node', { internalTrafficPolicy: 'Local' }, [on(5, 'a'), on(6, 'b')], ['cluster: 5']],
  ['internal Local with none here: not answered', { internalTrafficPolicy: 'Local' }, [on(6, 'b')], ['cluster: drop']],
  ['internal Local with none at all: refused', { internalTrafficPolicy: 'Local' }, [], ['cluster: refuse']],
  [
    'internal Local: what ends here before what is ready elsewhere',
    { internalTrafficPolicy: 'Local' },
    [on(5, 'a', ends), on(6, 'b')],
    ['cluster: 5'],
  ],
  [
    'external Local: this node for clients from outside, all for those from inside',
    outer,
    [on(5, 'a'), on(6, 'b')],
    ['cluster: 5,6', 'node: 5,6, outside: 5'],
  ],
  ['external Local with none here: not answered', outer, [on(6, 'b')], ['cluster: 6', 'node: 6, outside: drop']],
  ['external Local with none at all: refused', outer, [], ['cluster: refuse', 'node: refuse, outside: refuse']],
  [
    'hints of zones',
    {},
    [on(5, 'a', zone('z1')), on(6, 'b', zone('z2')), on(7, 'b', zone('z1', 'z2'))],
    ['cluster: 5,7'],
  ],
  ['hints of zones, one missing: all', {}, [on(5, 'a', zone('z1')), on(6, 'b')], ['cluster: 5,6']],
  ['hints of zones, none for this one: all', {}, [on(5, 'a', zone('z3')), on(6, 'b', zone('z2'))], ['cluster: 5,6']],
  [
    'hints of zones on endpoints that are not ready do not count',
    {},
    [on(5, 'a', zone('z1')), on(6, 'b', { conditions: { ready: false } }), on(7, 'b', zone('z2'))],
    ['cluster: 5'],
  ],
  ['hints of nodes before those of zones', {}, [on(5, 'a', node('a')), on(6, 'b', node('b'))], ['cluster: 5']],
  ['hints of other nodes: the zone', {}, [on(5, 'b', node('b')), on(6, 'c', node('c'))], ['cluster: 5,6']],
]
for (const [title, spec, endpoints, wanted] of places)
  test(`servicePorts chooses by place: ${title}`, () => assert.deepEqual(onNodes(spec, endpoints), wanted))

test('servicePorts keeps ranges of clients of its family', () => {
  const spec = { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', ' 192.0.2.0/24', 'fd00::/8'] } as const
  const status = { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } }
  const [port] = servicePorts(service(spec as unknown as Service['spec'], status), [])
  assert.deepEqual(port?.frontends[1]?.sources, ['10.0.0.0/8', '192.0.2.0/24'])
  assert.equal(port?.frontends[0]?.sources, undefined)
})

test('servicePorts of the other family has its addresses and endpoints only', () => {
  const spec = { clusterIPs: ['10.96.0.7', 'fd00::7'] }
  const six = { ...slice([at('fd01::5')]), addressType: 'IPv6' as const }
  const [port] = servicePorts(service(spec), [slice([at('10.244.0.5')]), six], {}, 'IPv6')
  assert.deepEqual(port?.frontends, [{ kind: 'cluster', address: 'fd00::7', port: 80 }])
  assert.deepEqual(port?.backends, [{ address: 'fd01::5', port: 8080 }])
})

test('portBackends finds the endpoints of headless services, too, in the first family that has any', () => {
  const port = { name: 'http', port: 80 }
  const headless = (one: EndpointSlice) => ({ ...one, metadata: { labels: { 'service.kubernetes.io/headless': '' } } })
  const six = { ...slice([at('fd01::5')]), addressType: 'IPv6' as const }
  const four = slice([at('10.244.0.5'), at('10.244.0.6', { ready: false })])
  const led = (spec: Service['spec'], ...slices: EndpointSlice[]) =>
    portBackends(service(spec), port, slices).map(({ address }) => address)
  assert.deepEqual(led({ clusterIP: 'None' }, headless(four)), ['10.244.0.5'])
  assert.deepEqual(led({}, headless(four)), [])
  assert.deepEqual(led({ ipFamilies: ['IPv6', 'IPv4'] }, four, six), ['fd01::5'])
  assert.deepEqual(led({ ipFamilies: ['IPv6', 'IPv4'] }, four), ['10.244.0.5'])
})

test('servicePorts leads the loopback of a machine to load balancers that have its address', () => {
  const balanced = service(
    { type: 'LoadBalancer' },
    { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.9' }] } },
  )
  const frontends = (place: object) =>
    servicePorts(balanced, [], place)[0]!.frontends.flatMap(({ kind, address }) =>
      kind === 'load-balancer' ? [address] : [],
    )
  assert.deepEqual(frontends({}), ['192.0.2.1', '192.0.2.9'])
  assert.deepEqual(frontends({ alsoLoopback: '192.0.2.1' }), ['192.0.2.1', '127.0.0.1', '192.0.2.9'])
})
