import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolumeClaimSpec } from '../../generated/types/core-v1.ts'
import { alignSources } from './data-source.ts'

const other = { apiGroup: 'example.com', kind: 'Some', name: 's' }
const claim = { kind: 'PersistentVolumeClaim', name: 'c' }

const cases: readonly [what: string, spec: PersistentVolumeClaimSpec, filled: PersistentVolumeClaimSpec][] = [
  ['a claim', { dataSource: claim }, { dataSource: claim, dataSourceRef: claim }],
  ['anything else in the older field', { dataSource: other }, {}],
  ['anything else', { dataSourceRef: other }, { dataSource: other, dataSourceRef: other }],
  ['what is in another namespace', { dataSourceRef: { ...other, namespace: 'x' } }, {}],
]

for (const [what, spec, filled] of cases) {
  test(`alignSources() of ${what}`, () => {
    const made = structuredClone(spec)
    alignSources(made, undefined)
    assert.deepEqual(made, filled)
  })
}

test('alignSources() keeps what is in another namespace where it was before', () => {
  const spec = { dataSourceRef: { ...other, namespace: 'x' } }
  const made = structuredClone(spec)
  alignSources(made, spec)
  assert.deepEqual(made, spec)
})
