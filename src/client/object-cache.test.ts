import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/machinery/object.ts'
import { createObjectCache } from './object-cache.ts'

const object = (namespace: string, name: string, labels: Record<string, string> = {}, owner?: string): KubeObject => ({
  metadata: {
    namespace,
    name,
    labels,
    ...(owner && { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: owner, controller: true }] }),
  },
})
const names = (list: readonly KubeObject[]) => list.map(each => each.metadata?.name).sort()

test('createObjectCache lists by namespace and by the owner that controls', () => {
  const cache = createObjectCache()
  cache.set('n/a', object('n', 'a', {}, 'u1'))
  cache.set('n/b', object('n', 'b'))
  cache.set('m/c', object('m', 'c', {}, 'u1'))
  assert.deepEqual(names(cache.list()), ['a', 'b', 'c'])
  assert.deepEqual(names(cache.list('n')), ['a', 'b'])
  assert.deepEqual(names(cache.byIndex('owner', 'u1')), ['a', 'c'])
  assert.deepEqual(cache.list('other'), [])
})

test('createObjectCache moves an object between index values, and forgets a removed one', () => {
  const cache = createObjectCache({ app: each => [each.metadata?.labels?.app ?? ''] })
  cache.set('n/a', object('n', 'a', { app: 'x' }))
  const before = cache.byIndex('app', 'x')
  assert.equal(cache.byIndex('app', 'x'), before, 'the same array while nothing changes')
  cache.set('n/a', object('n', 'a', { app: 'y' }))
  assert.deepEqual(cache.byIndex('app', 'x'), [])
  assert.deepEqual(names(cache.byIndex('app', 'y')), ['a'])
  assert.equal(cache.set('n/a', undefined)?.metadata?.name, 'a')
  assert.deepEqual(cache.byIndex('app', 'y'), [])
  assert.deepEqual(cache.list(), [])
})

test('createObjectCache takes an index later, and refuses another function under the same name', () => {
  const cache = createObjectCache()
  cache.set('n/a', object('n', 'a'))
  cache.addIndex('letter', each => [each.metadata?.name?.[0] ?? ''])
  assert.deepEqual(names(cache.byIndex('letter', 'a')), ['a'])
  cache.addIndex('letter', each => [each.metadata?.name?.[0] ?? ''])
  assert.throws(() => cache.addIndex('letter', () => []), /index letter is there with another function/)
  assert.throws(() => cache.byIndex('unknown', 'a'), /no index "unknown"/)
})
