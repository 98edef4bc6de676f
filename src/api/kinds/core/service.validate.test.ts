import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceSpec } from '../../generated/types/core-v1.ts'
import { Service } from './service.ts'

const BOTH = { clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }
const service = (more: Partial<ServiceSpec>): Service => ({
  metadata: { name: 's', resourceVersion: '1' },
  spec: {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    internalTrafficPolicy: 'Cluster',
    ...more,
  } as ServiceSpec,
})

for (const [what, next, ...said] of [
  ['nothing', BOTH],
  ['both families with one', { clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }],
  [
    'the second family without saying so',
    { clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'RequireDualStack' },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
  ],
  [
    'all addresses',
    { clusterIP: '', clusterIPs: [], ipFamilies: [] },
    'spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
    'spec.ipFamilies[0]: Invalid value: []: primary ipFamily can not be unset',
  ],
] as const satisfies readonly (readonly [string, object, ...string[]])[])
  test(`Service with addresses of two families judges a change of ${what}`, () => {
    const [from, to] = [service(BOTH as Partial<ServiceSpec>), service(next as Partial<ServiceSpec>)]
    const errors = Service.rules!.flatMap(rule => rule(to, from, { subresource: '', now: 0 }))
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      said,
    )
  })
