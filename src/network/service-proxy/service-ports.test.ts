import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { servicePorts } from './service-ports.ts'

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

test('servicePorts reads affinity, with three hours where no timeout is given', () => {
  const seconds = (spec: Service['spec']) => servicePorts(service(spec), [])[0]?.affinitySeconds
  assert.equal(seconds({ sessionAffinity: 'ClientIP' }), 10_800)
  assert.equal(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }), 5)
  assert.equal(seconds({ sessionAffinity: 'None' }), undefined)
})
