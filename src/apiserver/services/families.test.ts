import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusError } from '../../api/machinery/status-error.ts'
import { settleFamilies } from './families.ts'
import type { Service, ServiceSpec } from './service-shape.ts'

const service = (spec: ServiceSpec): Service => ({ metadata: { name: 's' }, spec: { type: 'ClusterIP', ...spec } })

const settled: readonly [what: string, spec: ServiceSpec, families: unknown, policy: string][] = [
  ['a plain one', {}, ['IPv4'], 'SingleStack'],
  ['one with an address', { clusterIP: '10.0.0.1' }, ['IPv4'], 'SingleStack'],
  ['one that would like two', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4'], 'PreferDualStack'],
  ['a headless one', { clusterIP: 'None', selector: { a: 'b' } }, ['IPv4'], 'SingleStack'],
  ['a headless one without selector', { clusterIP: 'None' }, ['IPv4', 'IPv6'], 'RequireDualStack'],
  [
    'a headless one of its own choice',
    { clusterIP: 'None', ipFamilies: ['IPv6'] },
    ['IPv6', 'IPv4'],
    'RequireDualStack',
  ],
]

for (const [what, spec, families, policy] of settled) {
  test(`settleFamilies() of ${what}`, () => {
    const made = service(spec)
    settleFamilies(made, ['IPv4'])
    assert.deepEqual([made.spec.ipFamilies, made.spec.ipFamilyPolicy], [families, policy])
  })
}

const refused: readonly [spec: ServiceSpec, said: string][] = [
  [{ ipFamilies: ['x'] }, 'spec.ipFamilies[0]: Unsupported value: "x": supported values: "IPv4", "IPv6"'],
  [{ ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  [
    { clusterIP: 'x' },
    'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    { clusterIPs: ['10.0.0.1'] },
    'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
  ],
  [{ clusterIP: '::1' }, 'spec.clusterIPs[0]: Invalid value: ["::1"]: IPv6 is not configured on this cluster'],
  [
    { ipFamilyPolicy: 'RequireDualStack' },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
]

for (const [spec, said] of refused) {
  test(`settleFamilies() refuses ${JSON.stringify(spec)}`, () => {
    assert.throws(
      () => settleFamilies(service(spec), ['IPv4']),
      (error: StatusError) => error.message === `Service "s" is invalid: ${said}`,
    )
  })
}

const BOTH = ['IPv4', 'IPv6'] as const
const dual: readonly [what: string, spec: ServiceSpec, families: unknown, policy: string][] = [
  ['a plain one', {}, ['IPv4'], 'SingleStack'],
  ['one that would like two', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4', 'IPv6'], 'PreferDualStack'],
  ['one that begins with the second', { ipFamilies: ['IPv6'] }, ['IPv6'], 'SingleStack'],
  [
    'one that begins with the second and wants both',
    { ipFamilies: ['IPv6'], ipFamilyPolicy: 'RequireDualStack' },
    ['IPv6', 'IPv4'],
    'RequireDualStack',
  ],
  ['one with an address of the second', { clusterIP: 'fd00::7' }, ['IPv6'], 'SingleStack'],
]
for (const [what, spec, families, policy] of dual) {
  test(`settleFamilies() of ${what}, where there are two families`, () => {
    const made = service(spec)
    settleFamilies(made, BOTH)
    assert.deepEqual([made.spec.ipFamilies, made.spec.ipFamilyPolicy], [families, policy])
  })
}

const HAS_TWO = {
  clusterIP: '10.0.0.1',
  clusterIPs: ['10.0.0.1', 'fd00::1'],
  ipFamilies: ['IPv4', 'IPv6'],
  ipFamilyPolicy: 'PreferDualStack',
}
const HAS_ONE = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
const updates: readonly [what: string, before: ServiceSpec, change: ServiceSpec, families: unknown, ips: unknown][] = [
  ['the policy alone gives the second up', HAS_TWO, { ipFamilyPolicy: 'SingleStack' }, ['IPv4'], ['10.0.0.1']],
  ['the policy alone asks for a second', HAS_ONE, { ipFamilyPolicy: 'RequireDualStack' }, BOTH, ['10.0.0.1']],
  [
    'who prefers two and has one keeps it',
    { ...HAS_ONE, ipFamilyPolicy: 'PreferDualStack' },
    { selector: { a: 'c' } },
    ['IPv4'],
    ['10.0.0.1'],
  ],
]
for (const [what, before, change, families, ips] of updates) {
  test(`settleFamilies() of an update: ${what}`, () => {
    const next = service({ ...structuredClone(before), ...change })
    settleFamilies(next, BOTH, service(before))
    assert.deepEqual([next.spec.ipFamilies, next.spec.clusterIPs], [families, ips])
  })
}

test('settleFamilies() of an update refuses to give up a family without the policy', () => {
  const next = service({ ...HAS_TWO, clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] })
  assert.throws(
    () => settleFamilies(next, BOTH, service(HAS_TWO)),
    /must be 'SingleStack' to release the secondary cluster IP.*must be 'SingleStack' to release the secondary IP family/,
  )
})
