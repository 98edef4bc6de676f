import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kinds } from '../kinds/all.ts'
import { defineKind } from './kind.ts'
import type { KubeObject } from './object.ts'
import { columnDefinitions, toPartialObjectMetadataList, toTable } from './table.ts'

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

it('columnDefinitions repeats no sentence of Kubernetes about the columns of built-in kinds', () => {
  const described = kinds.flatMap(each => columnDefinitions(each).filter(({ description }) => description !== ''))
  assert.deepEqual(described, [])
})
