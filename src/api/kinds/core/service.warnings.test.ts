import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service, ServiceSpec } from '../../generated/types/core-v1.ts'
import { serviceWarnings } from './service.warnings.ts'

const cases: readonly [spec: ServiceSpec, ...said: string[]][] = [
  [{ type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], sessionAffinity: 'None' }],
  [
    { type: 'ClusterIP', clusterIP: 'None', externalIPs: ['1.2.3.4'], loadBalancerIP: '1.2.3.4' },
    'spec.loadBalancerIP is ignored for headless services',
    'spec.externalIPs is ignored for headless services',
    'spec.SessionAffinity is ignored for headless services',
  ],
  [
    { type: 'ClusterIP', externalIPs: ['01.2.3.4'] },
    'spec.externalIPs[0]: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"',
    'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
  ],
  [
    { type: 'ClusterIP', clusterIP: '2001:DB8::1', clusterIPs: ['2001:DB8::1'], externalName: 'x' },
    'spec.clusterIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  ],
  [
    { type: 'ExternalName', externalName: 'x', externalIPs: ['1.2.3.4'] },
    'spec.externalIPs is ignored when spec.type is "ExternalName"',
  ],
  [
    { type: 'LoadBalancer', loadBalancerIP: '::ffff:1.2.3.4', loadBalancerSourceRanges: ['10.0.0.1/8'] },
    'spec.loadBalancerIP: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
  ],
  [
    { type: 'ClusterIP', trafficDistribution: 'PreferClose' },
    'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
  ],
]

for (const [spec, ...said] of cases) {
  test(`serviceWarnings() of ${JSON.stringify(spec)}`, () => assert.deepEqual(serviceWarnings({ spec }), said))
}

test('serviceWarnings() tells of the annotation that is gone', () => {
  const metadata: Service['metadata'] = { annotations: { 'service.kubernetes.io/topology-aware-hints': 'auto' } }
  assert.deepEqual(serviceWarnings({ metadata }), [
    'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
  ])
})
