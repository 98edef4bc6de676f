import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleContext } from '../../machinery/kind.ts'
import { Node } from './node.ts'

const context = (subresource = ''): RuleContext => ({ subresource, now: 0 })

function problems(next: Partial<Node>, old?: Partial<Node>, subresource = ''): string[] {
  const errors = Node.rules!.flatMap(rule => rule(next as Node, old as Node | undefined, context(subresource)))
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

const cases: readonly [what: string, next: Partial<Node>, old: Partial<Node> | undefined, said: string[]][] = [
  ['a good node', { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'x' } }, { spec: {} }, []],
  [
    'a block that is none, beside another',
    { spec: { podCIDRs: ['10.1.0.0/24', ''] } },
    undefined,
    [
      'spec.podCIDRs[1]: Invalid value: "": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.podCIDRs: Internal error: invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[1]: <nil> (invalid CIDR address: )',
      'spec.podCIDRs: Invalid value: ["10.1.0.0/24",""]: may specify no more than one CIDR for each IP family',
    ],
  ],
  [
    'what is set once',
    { spec: { podCIDRs: ['10.0.1.0/24'], providerID: 'y', externalID: 'z' } },
    { spec: { podCIDRs: ['10.0.0.0/24'], providerID: 'x' } },
    [
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
      'spec.externalID: Forbidden: may not be updated',
    ],
  ],
  [
    'declared features',
    { status: { declaredFeatures: ['B', 'A', 'A', 'bad!'] } },
    undefined,
    [
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
      'status.declaredFeatures[2]: Duplicate value: "A"',
      `status.declaredFeatures[3]: Invalid value: "bad!": invalid feature name "bad!": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
    ],
  ],
]

for (const [what, next, old, said] of cases) {
  test(`Node says what is wrong with ${what}`, () => assert.deepEqual(problems(next, old), said))
}

test('Node checks blocks of pods at the main endpoint only', () => {
  const bad = { spec: { podCIDRs: ['x'] } }
  assert.equal(problems(bad, bad).length, 1)
  assert.deepEqual(problems(bad, bad, 'status'), [])
})

test('Node keeps the singular block and the list in step', () => {
  const settled = (spec: Node['spec']) => {
    const node = { spec } as Node
    Node.defaults!(node)
    return [node.spec!.podCIDR, node.spec!.podCIDRs]
  }
  assert.deepEqual(settled({ podCIDR: 'a' }), ['a', ['a']])
  assert.deepEqual(settled({ podCIDRs: ['a', 'b'] }), ['a', ['a', 'b']])
  assert.deepEqual(settled({ podCIDR: 'c', podCIDRs: ['a', 'b'] }), ['c', ['c']])
})

test('Node drops the configuration of kubelets by the API', () => {
  const next = () => ({ spec: { configSource: {} }, status: { config: {} } }) as unknown as Node
  const [made, changed] = [next(), next()]
  Node.prepareCreate!(made)
  Node.prepareUpdate!(changed, { spec: {}, status: {} } as Node, context())
  assert.deepEqual(
    [made, changed],
    [
      { spec: {}, status: {} },
      { spec: {}, status: {} },
    ],
  )
})

test('Node warns of what is gone and of blocks that are not in canonical form', () => {
  assert.deepEqual(Node.warnings!({ spec: { externalID: 'x', podCIDRs: ['2001:DB8::/64'] } } as Node, undefined), [
    'spec.externalID: this field is deprecated, and is unused by Kubernetes',
    'spec.podCIDRs[0]: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
  ])
})
