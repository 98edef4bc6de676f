import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionAttributes, AdmissionPlugin } from '../../../src/apiserver/admission/plugin.ts'
import { configMap, type Loose, startApi } from './start.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

const plugin = (does: Partial<AdmissionPlugin>): AdmissionPlugin => ({ name: 'Test', handles: () => true, ...does })

const deployment = (replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    replicas,
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'host' }] } },
  },
})

test('admission runs every mutation once more where a plugin asks for it, and not a third time', async () => {
  const rounds: number[] = []
  const first = plugin({ mutate: ({ round }) => void rounds.push(round) })
  const webhook = plugin({
    mutate(request) {
      request.changed = true
    },
  })
  const api = await startApi({ admission: [first, webhook] })
  await api.send('POST', MAPS, configMap('m'))
  assert.deepEqual(rounds, [0, 1])
  await api.server.close()
})

test('admission that changes an object at will can change neither status nor what the server sets', async () => {
  const meddle = plugin({
    mutate(request) {
      if (request.round) return
      const object = request.object as Loose
      object.metadata.labels = { seen: request.operation, uid: String(object.metadata.uid) }
      object.metadata.uid = 'mine'
      object.metadata.generation = 99
      object.status = { replicas: 77 }
      request.changed = true
    },
  })
  const api = await startApi({ admission: [meddle] })
  const { object: created } = await api.send('POST', DEPLOYMENTS, deployment(1))
  assert.deepEqual(created.metadata.labels, { seen: 'CREATE', uid: 'undefined' })
  assert.notEqual(created.metadata.uid, 'mine')
  assert.deepEqual([created.metadata.generation, created.status], [1, {}])
  const { object: updated } = await api.send('PUT', `${DEPLOYMENTS}/d`, deployment(2))
  assert.equal(updated.metadata.labels.seen, 'UPDATE')
  assert.deepEqual([updated.metadata.uid, updated.metadata.generation], [created.metadata.uid, 2])
  assert.deepEqual(updated.status, {})
  await api.server.close()
})

test('admission of the scale subresource sees a Scale and may change it', async () => {
  const seen: Loose[] = []
  const cap = plugin({
    handles: ({ subresource }) => subresource === 'scale',
    mutate(request) {
      const scale = request.object as Loose
      seen.push([
        request.objectKind.kind,
        request.kind.plural,
        scale.spec.replicas,
        (request.old as Loose).spec.replicas,
      ])
      if (scale.spec.replicas > 3) {
        scale.spec.replicas = 3
        request.changed = true
      }
    },
  })
  const api = await startApi({ admission: [cap] })
  await api.send('POST', DEPLOYMENTS, deployment(1))
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'd' }, spec: { replicas: 9 } }
  const { object } = await api.send('PUT', `${DEPLOYMENTS}/d/scale`, scale)
  assert.equal(object.spec.replicas, 3)
  assert.deepEqual(seen[0], ['Scale', 'deployments', 9, 1])
  await api.server.close()
})

test('admission judges each object of a deletecollection by its name', async () => {
  const names: string[] = []
  const judge = plugin({
    handles: ({ operation }) => operation === 'DELETE',
    validate: ({ name, old, object }: AdmissionAttributes) =>
      void names.push(`${name} ${Boolean(old)} ${Boolean(object)}`),
  })
  const api = await startApi({ admission: [judge] })
  for (const name of ['a', 'b']) await api.send('POST', MAPS, configMap(name))
  await api.send('DELETE', MAPS)
  assert.deepEqual(names.sort(), ['a true false', 'b true false'])
  await api.server.close()
})
