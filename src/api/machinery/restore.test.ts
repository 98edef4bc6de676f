import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restoreProblem } from './restore.ts'
import { compileSchema } from './schema-node.ts'

const cases: readonly [kind: string, object: object, said: string | undefined][] = [
  ['Secret', { data: { a: 'AQ==' }, type: 'x', immutable: true, metadata: { generation: 1 } }, undefined],
  ['Secret', { stringData: null, metadata: { creationTimestamp: 7 } }, undefined],
  ['Secret', { stringData: { x: [1] } }, 'unrecognized type: string'],
  ['Secret', { stringData: 7 }, 'cannot restore map from int64'],
  ['Secret', { immutable: 'x' }, 'unrecognized type: bool'],
  ['Secret', { type: 7 }, 'cannot convert int64 to v1.SecretType'],
  ['Secret', { data: { x: 7 } }, 'cannot restore slice from int64'],
  ['Secret', { metadata: 'x' }, 'cannot restore struct from: string'],
  ['Secret', { metadata: { labels: [1] } }, 'cannot restore map from slice'],
  ['Secret', { metadata: { finalizers: 'x' } }, 'cannot restore slice from string'],
  ['Secret', { metadata: { generation: 'x' } }, 'unrecognized type: int64'],
  ['Secret', { metadata: { ownerReferences: [7] } }, 'cannot restore struct from: int64'],
  ['Service', { spec: { ports: [{ port: 'x' }] } }, 'unrecognized type: int32'],
  ['Service', { spec: { ports: [{ port: 1.5 }] } }, 'cannot convert float64 to int32'],
  ['Service', { spec: { publishNotReadyAddresses: {} } }, 'unrecognized type: bool'],
]

for (const [kind, object, said] of cases) {
  test(`restoreProblem() of ${JSON.stringify(object)}`, () => {
    assert.equal(restoreProblem(compileSchema(`io.k8s.api.core.v1.${kind}`), object), said)
  })
}
