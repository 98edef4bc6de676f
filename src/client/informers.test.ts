import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '../api/kinds/core/config-map.ts'
import { startCluster } from '../cmd/testing.ts'
import { silent } from '../lib/log.ts'
import { createInformers } from './informers.ts'

test('Informers.drop ends the informer of a kind, and the next one that is asked for is new', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: false })
  const scope = new AbortController()
  const informers = createInformers(cluster.transport, { clock: cluster.clock, logger: silent }, scope.signal)
  const create = (name: string) => cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })
  const first = informers.of(ConfigMap)
  await create('a')
  await cluster.settle()
  assert.ok(first.get('default/a'))
  informers.drop(ConfigMap, false)
  await create('b')
  await cluster.settle()
  assert.equal(first.get('default/b'), undefined)
  const second = informers.of(ConfigMap)
  assert.notEqual(second, first)
  await cluster.settle()
  assert.ok(second.get('default/b'))
  await informers.synced()
  scope.abort()
})
