import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { createGraph } from './graph.ts'

const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web', namespace: 'default', uid: 'set' } }
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'set', controller: true }
const pod = (uid: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, namespace: 'default', uid, ownerReferences: [owner] },
})
const graphOf = () => createGraph({ find: (_apiVersion, kind) => (kind === 'Pod' ? Pod : ReplicaSet) })

test('an owner that was removed stays known as absent while something refers to it', () => {
  const graph = graphOf()
  graph.put(ReplicaSet, set)
  for (const uid of ['a', 'b', 'c']) graph.put(Pod, pod(uid))
  graph.remove('set')
  // A change of one dependent must not make the owner look unknown, and so perhaps there, to the others.
  assert.deepEqual(graph.put(Pod, pod('a')).unknown, [])
  const absent = graph.get('set')
  assert.equal(absent?.absent, true)
  assert.equal(absent?.object, undefined)
  assert.equal(absent?.dependents.size, 3)
})

test('an owner that was removed is forgotten with its last dependent', () => {
  const graph = graphOf()
  graph.put(ReplicaSet, set)
  graph.put(Pod, pod('a'))
  graph.remove('set')
  graph.remove('a')
  assert.equal(graph.get('set'), undefined)
})

test('an owner that nothing refers to is forgotten when it is removed', () => {
  const graph = graphOf()
  graph.put(ReplicaSet, set)
  graph.remove('set')
  assert.equal(graph.get('set'), undefined)
})
