import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { wantsTopology, zoneHints } from './topology.ts'

const node = (zone: string | undefined, cpu = '4', ready = true, more: Record<string, string> = {}): Node => ({
  metadata: { labels: { ...(zone && { 'topology.kubernetes.io/zone': zone }), ...more } },
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})
const TWO = [node('a'), node('b')]
/** Endpoints by the zone of each: `aab`. */
const placed = (zones: string, before: readonly (string | undefined)[] = []) =>
  [...zones].map((zone, at) => ({ id: `e${at}`, zone: zone === '-' ? undefined : zone, before: before[at] }))
/** For which zones they are: `aab`, or the problem. */
function hints(zones: string, nodes: readonly Node[], before?: readonly (string | undefined)[]) {
  const found = zoneHints(placed(zones, before), nodes)
  return 'problem' in found ? found.problem : [...zones].map((_, at) => found.zones.get(`e${at}`)).join('')
}

const CPU = 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'
const cases: readonly [what: string, zones: string, nodes: readonly Node[], said: string][] = [
  ['even zones keep to themselves', 'aabb', TWO, 'aabb'],
  ['a zone with too many gives', 'aaab', TWO, 'baab'],
  ['a zone with none is given its part', 'aaaa', TWO, 'bbaa'],
  ['parts follow the CPU', 'abbbbb', [node('a', '4'), node('b', '2')], 'aaaabb'],
  [
    'a zone with more than its part gives, though it would be fair',
    'aaabbbcccccc',
    [node('a', '2'), node('b', '4'), node('c', '8')],
    'caabbbcccccc',
  ],
  ['a zone whose nodes do not count keeps its own', 'aaabbb', [node('a'), node('b', '4', false), node('c')], 'aaabbb'],
  ['one zone only', 'aaaa', [node('a'), node('a')], CPU],
  ['a node without a zone', 'aabb', [...TWO, node(undefined)], CPU],
  ['a node without CPU', 'aabb', [node('a'), node('b', '0')], CPU],
  ['a node that is not Ready does not count', 'aaaa', [node('a'), node('b', '4', false)], CPU],
  [
    'a node of the control plane does not count',
    'aabb',
    [...TWO, node('c', '8', true, { 'node-role.kubernetes.io/control-plane': '' })],
    'aabb',
  ],
  ['fewer endpoints than zones', 'a', TWO, 'Insufficient number of endpoints (1 endpoints, 2 zones)'],
  [
    'too few for everyone',
    'abc',
    [node('a', '5'), node('b', '4'), node('c', '3')],
    'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (3 endpoints, 3 zones)',
  ],
  ['an endpoint without a zone', 'aab-', TWO, 'One or more endpoints do not have a zone specified'],
]
for (const [what, zones, nodes, said] of cases) {
  test(`zoneHints: ${what}`, () => {
    const found = hints(zones, nodes)
    assert.equal(found, said)
    if (!/^[a-c]+$/.test(found)) return
    assert.equal(hints(zones, nodes, [...found]), found, 'what is fair stays as it is')
  })
}

test('zoneHints leaves hints that are fair, and deals anew when they are not', () => {
  assert.equal(hints('aabb', TWO, ['b', 'b', 'a', 'a']), 'bbaa')
  assert.equal(hints('aabb', TWO, ['c', undefined, undefined, undefined]), 'aabb')
  assert.equal(hints('aabb', TWO, ['a', 'a', 'a', 'a']), 'aabb')
})

test('wantsTopology reads both annotations, that of old first', () => {
  const mode = 'service.kubernetes.io/topology-mode'
  const old = 'service.kubernetes.io/topology-aware-hints'
  assert.ok(wantsTopology({ [mode]: 'Auto' }) && wantsTopology({ [old]: 'auto' }))
  assert.ok(!wantsTopology(undefined) && !wantsTopology({ [mode]: 'Nearest' }))
  assert.ok(!wantsTopology({ [mode]: 'Auto', [old]: 'Disabled' }))
})
