/** Custom resources and the controllers that see every kind: namespaces end, owners and dependents go. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../src/api/machinery/object.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import type { Loose } from '../api/start.ts'
import { DEFINITIONS, definition, WIDGETS, widget } from './definition.ts'

const NAME = 'widgets.example.com'

async function start() {
  const cluster = await startCluster({ clock: 'virtual' })
  const requests: string[] = []
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<Loose> => {
    requests.push(path)
    const { object } = await cluster.transport({ method, path, ...(body && { body: structuredClone(body) }) })
    return structuredClone(object)
  }
  const define = async (wanted: Loose) => {
    await call('POST', DEFINITIONS, wanted)
    await cluster.until(async () =>
      (await call('GET', `${DEFINITIONS}/${NAME}`)).status.conditions.some(
        (each: Loose) => each.type === 'Established' && each.status === 'True',
      ),
    )
    await cluster.settle()
  }
  const isGone = (path: string) => async () => (await call('GET', path)).code === 404
  return { cluster, call, define, isGone }
}

const ownedBy = ({ apiVersion = '', kind = '', metadata }: KubeObject, name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ownerReferences: [{ apiVersion, kind, name: metadata?.name, uid: metadata?.uid }] },
})
const MAPS = '/api/v1/namespaces/default/configmaps'
const createMap = (cluster: Cluster, owner: KubeObject, name: string) =>
  cluster.create(ownedBy(owner, name) as KubeObject)

test('what a custom resource owns goes with it, and it goes with its owner', async () => {
  const { cluster, call, define, isGone } = await start()
  await using _ = cluster
  await define(definition())
  const root: KubeObject = await call('POST', WIDGETS, widget('root'))
  await createMap(cluster, root, 'below')
  const reference = [{ apiVersion: root.apiVersion, kind: 'Widget', name: 'root', uid: root.metadata?.uid }]
  await call('POST', WIDGETS, widget('child', {}, { ownerReferences: reference }))
  await cluster.settle()
  await call('DELETE', `${WIDGETS}/root`)
  await cluster.until(isGone(`${MAPS}/below`))
  await cluster.until(isGone(`${WIDGETS}/child`))
})

test('a namespace takes its custom resources along', async () => {
  const { cluster, call, define, isGone } = await start()
  await using _ = cluster
  await define(definition())
  await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const path = WIDGETS.replace('default', 'shop')
  await call('POST', path, widget('a'))
  await cluster.settle()
  await call('DELETE', '/api/v1/namespaces/shop')
  await cluster.until(isGone('/api/v1/namespaces/shop'))
  assert.deepEqual((await call('GET', path)).items, [])
})

test('what is owned stands while its owner is followed by another version, and goes with the definition', async () => {
  const { cluster, call, define, isGone } = await start()
  await using _ = cluster
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const v1 = { name: 'v1', served: true, storage: true, schema }
  await define(definition({ versions: [v1] }))
  const root: KubeObject = await call('POST', WIDGETS, widget('root'))
  await createMap(cluster, root, 'below')
  await cluster.settle()
  const current = await call('GET', `${DEFINITIONS}/${NAME}`)
  current.spec.versions = [
    { ...v1, served: false, storage: false },
    { ...v1, name: 'v2' },
  ]
  await call('PUT', `${DEFINITIONS}/${NAME}`, current)
  await cluster.settle()
  await cluster.advance(120_000)
  assert.equal((await call('GET', `${MAPS}/below`)).kind, 'ConfigMap')
  assert.equal((await call('GET', WIDGETS)).code, 404)
  // Named by a version that is not served any more, it is known all the same.
  await createMap(cluster, root, 'further')
  await cluster.advance(120_000)
  assert.equal((await call('GET', `${MAPS}/further`)).kind, 'ConfigMap')
  await call('DELETE', `${DEFINITIONS}/${NAME}`)
  await cluster.until(isGone(`${MAPS}/below`))
  await cluster.until(isGone(`${MAPS}/further`))
})

test('nobody asks for a kind that has gone', async () => {
  const { cluster, call, define, isGone } = await start()
  await using _ = cluster
  await define(definition())
  await call('POST', WIDGETS, widget('a'))
  await cluster.settle()
  await call('DELETE', `${DEFINITIONS}/${NAME}`)
  await cluster.until(isGone(`${DEFINITIONS}/${NAME}`))
  await cluster.settle()
  const refused = async () => {
    const { bytes } = (await cluster.transport({ method: 'GET', path: '/metrics' })) as Loose
    let text = ''
    for await (const chunk of bytes) text += chunk
    return text.split('\n').filter(each => each.startsWith('apiserver_request_total') && each.includes('404'))
  }
  const before = await refused()
  await cluster.advance(600_000)
  assert.deepEqual(await refused(), before)
  // Made again it is followed again.
  await define(definition())
  const root: KubeObject = await call('POST', WIDGETS, widget('root'))
  await createMap(cluster, root, 'below')
  await cluster.settle()
  await call('DELETE', `${WIDGETS}/root`)
  await cluster.until(isGone(`${MAPS}/below`))
})
