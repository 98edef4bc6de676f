import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kinds } from '../kinds/all.ts'
import { defineKind } from './kind.ts'
import type { KubeObject } from './object.ts'
import { columnDefinitions, toPartialObjectMetadataList, toTable } from './table.ts'

/** Kubernetes says nothing of these. */
const EMPTY = ['node.k8s.io/v1/runtimeclasses Handler']

const kind = defineKind<KubeObject>({
  group: '',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  singular: 'thing',
  namespaced: true,
  verbs: [],
  schema: {},
  columns: [
    { name: 'Name', type: 'string', format: 'name', cell: object => object.metadata?.name },
    { name: 'Age', type: 'string', priority: 1, cell: (_, now) => (now ? 'old' : undefined) },
  ],
})
const object: KubeObject = { metadata: { name: 'a' } }

describe('toTable', () => {
  it('toTable has definitions, cells and the metadata of each object', () => {
    assert.deepEqual(toTable(kind, [object], { now: 0, metadata: { resourceVersion: '5' } }), {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '5' },
      columnDefinitions: [
        { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
        { name: 'Age', type: 'string', format: '', description: '', priority: 1 },
      ],
      rows: [
        {
          cells: ['a', null],
          object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } },
        },
      ],
    })
  })

  it('toTable carries what includeObject asks for, and no definitions after the first event', () => {
    assert.deepEqual(toTable(kind, [object], { now: 1, includeObject: 'None' }).rows, [
      { cells: ['a', 'old'], object: null },
    ])
    const later = toTable(kind, [object], { now: 1, includeObject: 'Object', noHeaders: true })
    assert.equal(later.columnDefinitions, null)
    assert.equal(later.rows[0]!.object, object)
  })

  it('toPartialObjectMetadataList keeps metadata alone', () => {
    const list = toPartialObjectMetadataList([{ ...object, kind: 'Thing' }], { continue: 'x' }, 'v1beta1')
    assert.equal(list.apiVersion, 'meta.k8s.io/v1beta1')
    assert.deepEqual(list.items[0]!.metadata, { name: 'a' })
    assert.deepEqual(list.metadata, { continue: 'x' })
  })
})

it('columnDefinitions describes every column of a built-in kind', () => {
  const without = kinds
    .filter(each => each.verbs.includes('list'))
    .flatMap(kind => columnDefinitions(kind).map(each => ({ at: `${kind.key} ${each.name}`, ...each })))
    .filter(each => !each.description)
  assert.deepEqual(
    without.map(each => each.at),
    EMPTY,
  )
  const [name, ready] = columnDefinitions(kinds.find(each => each.key === 'v1/pods')!)
  assert.match(name!.description, /^Name must be unique within a namespace\./)
  assert.match(ready!.description, /^The aggregate readiness state of this pod/)
})
