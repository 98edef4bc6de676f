import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap } from '../../src/api/kinds/core/config-map.ts'
import type { Namespace } from '../../src/api/kinds/core/namespace.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { deployment, inDefault, podsOf } from './objects.ts'

const maps = (cluster: Cluster) => cluster.objects<ConfigMap>('ConfigMap')

async function map(
  cluster: Cluster,
  name: string,
  owners: readonly ConfigMap[] = [],
  block = false,
  finalizers?: string[],
) {
  const ownerReferences = owners.map(({ metadata }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    blockOwnerDeletion: block,
  }))
  return cluster.create<ConfigMap>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ownerReferences, ...(finalizers && { finalizers }) },
  })
}

const gone = (cluster: Cluster, name: string) => async () => (await maps(cluster).find(inDefault(name))) === undefined

test('garbage collector deletes what its owner left behind, down to the last dependent', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const a = await map(cluster, 'a')
  const b = await map(cluster, 'b', [a])
  await map(cluster, 'c', [b])
  await cluster.settle()
  await maps(cluster).delete(inDefault('a'), { propagationPolicy: 'Background' })
  await cluster.until(gone(cluster, 'c'))
  assert.ok(await gone(cluster, 'b')())
})

test('garbage collector keeps what another owner still holds, and drops the reference to the one that is gone', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const [a, b] = [await map(cluster, 'a'), await map(cluster, 'b')]
  await map(cluster, 'c', [a, b])
  await cluster.settle()
  await maps(cluster).delete(inDefault('a'))
  await cluster.until(async () => (await maps(cluster).get(inDefault('c'))).metadata?.ownerReferences?.length === 1)
  assert.equal((await maps(cluster).get(inDefault('c'))).metadata?.ownerReferences?.[0]?.uid, b.metadata?.uid)
})

test('garbage collector in the foreground lets the owner wait for those that block it', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const a = await map(cluster, 'a')
  await map(cluster, 'b', [a], true, ['example.com/wait'])
  await map(cluster, 'c', [a], false)
  await cluster.settle()
  await maps(cluster).delete(inDefault('a'), { propagationPolicy: 'Foreground' })
  await cluster.until(gone(cluster, 'c'))
  await cluster.settle()
  const waiting = await maps(cluster).get(inDefault('a'))
  assert.deepEqual(waiting.metadata?.finalizers, ['foregroundDeletion'])
  assert.ok((await maps(cluster).get(inDefault('b'))).metadata?.deletionTimestamp)
  await maps(cluster).patch(inDefault('b'), { metadata: { finalizers: null } }, { type: 'merge' })
  await cluster.until(gone(cluster, 'a'))
})

test('garbage collector orphans when it is told to', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const a = await map(cluster, 'a')
  await map(cluster, 'b', [a])
  await cluster.settle()
  await maps(cluster).delete(inDefault('a'), { propagationPolicy: 'Orphan' })
  await cluster.until(gone(cluster, 'a'))
  await cluster.settle()
  assert.equal((await maps(cluster).get(inDefault('b'))).metadata?.ownerReferences, undefined)
})

test('garbage collector deletes an object made for an owner that never was', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const ghost: ConfigMap = { metadata: { name: 'ghost', uid: '00000000-0000-4000-8000-000000000000' } }
  await map(cluster, 'b', [ghost])
  await cluster.until(gone(cluster, 'b'))
  // Once known to be absent it is asked for again, and the next one goes as well.
  await map(cluster, 'c', [ghost])
  await cluster.until(gone(cluster, 'c'))
})

test('namespace goes with everything in it, pods before the rest', async () => {
  await using cluster = await startCluster({ clock: 'virtual', script: () => ({ stopMs: 5000 }) })
  const namespaces = cluster.objects<Namespace>('Namespace')
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  await cluster.settle()
  const web = deployment('web')
  await cluster.create({ ...web, metadata: { ...web.metadata, namespace: 'shop' } })
  await cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' } })
  await cluster.until(async () => (await cluster.objects<Pod>('Pod').list({ namespace: 'shop' })).items.length === 3)
  await cluster.settle()
  await namespaces.delete({ name: 'shop' })
  await cluster.settle()
  const leaving = await namespaces.get({ name: 'shop' })
  assert.equal(leaving.status?.phase, 'Terminating')
  const remaining = leaving.status?.conditions?.find(each => each.type === 'NamespaceContentRemaining')
  assert.equal(remaining?.message, 'Some resources are remaining: pods. has 3 resource instances')
  assert.ok(await maps(cluster).find({ namespace: 'shop', name: 'settings' }), 'pods may need it to the end')
  await cluster.until(async () => (await namespaces.find({ name: 'shop' })) === undefined)
  assert.deepEqual(await podsOf(cluster), [])
})

test('namespace has a service account from the start, and gets it back', async () => {
  await using cluster = await startCluster({ clock: 'virtual' })
  const accounts = cluster.objects('ServiceAccount')
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const there = async () => (await accounts.find({ namespace: 'shop', name: 'default' })) !== undefined
  await cluster.until(there)
  await accounts.delete({ namespace: 'shop', name: 'default' })
  await cluster.until(there)
})
