/** The scale subresource of the kinds that have it. */
import {
  APPLY,
  type Ask,
  create,
  DRY,
  JSON_PATCH,
  MERGE,
  patch,
  pathOf,
  read,
  type Scene,
  STRATEGIC,
  TABLE,
  topicOf,
} from '../ask.ts'
import type { Json } from '../bases/base.ts'

const scale = (spec: unknown, metadata: Json = { name: 'a', namespace: 'd' }): Json => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata,
  spec,
})

export function scales(object: Json): Scene {
  const path = `${pathOf(object)}/scale`
  const put = (title: string, body: Json, query = DRY): Ask => ({ title, method: 'PUT', path: path + query, body })
  const apply = (title: string, manager: string, replicas: number, query = ''): Ask =>
    patch(title, `${path}?fieldManager=${manager}${query}`, APPLY, scale({ replicas }))
  const asks: Ask[] = [
    read('before it exists', path),
    put('put before it exists', scale({ replicas: 1 })),
    create('create', object),
    read('read', path),
    read('as table', path, TABLE),
    put('put', scale({ replicas: 5 })),
    put('put for good', scale({ replicas: 4 }), '?fieldManager=scaler'),
    put('put with its version', scale({ replicas: 5 }, { name: 'a', namespace: 'd', resourceVersion: '{{rv}}' })),
    put('put with an old version', scale({ replicas: 5 }, { name: 'a', namespace: 'd', resourceVersion: '1' })),
    put('put with another uid', scale({ replicas: 5 }, { name: 'a', namespace: 'd', uid: 'x' })),
    put('put negative', scale({ replicas: -1 })),
    put('put mistyped', scale({ replicas: 'x' })),
    put('put without spec', scale(undefined)),
    put('put another name', scale({ replicas: 1 }, { name: 'b', namespace: 'd' })),
    put('put another namespace', scale({ replicas: 1 }, { name: 'a', namespace: 'x' })),
    put('put another kind', { ...scale({ replicas: 1 }), kind: 'Other' }),
    put('put with an unknown field', { ...scale({ replicas: 1 }), odd: 1 }),
    patch('merge', path + DRY, MERGE, { spec: { replicas: 6 } }),
    patch('merge for good', `${path}?fieldManager=scaler`, MERGE, { spec: { replicas: 7 } }),
    patch('merge null', path + DRY, MERGE, { spec: { replicas: null } }),
    patch('merge negative', path + DRY, MERGE, { spec: { replicas: -1 } }),
    patch('merge labels', path + DRY, MERGE, { metadata: { labels: { a: 'b' } } }),
    patch('merge an unknown field', path + DRY, MERGE, { odd: 1 }),
    patch('strategic', path + DRY, STRATEGIC, { spec: { replicas: 6 } }),
    patch('json', path + DRY, JSON_PATCH, [{ op: 'replace', path: '/spec/replicas', value: 8 }]),
    patch('json test', path + DRY, JSON_PATCH, [{ op: 'test', path: '/spec/replicas', value: 99 }]),
    apply('apply in conflict', 'other', 9),
    apply('apply by force', 'other', 9, '&force=true'),
    apply('apply again', 'other', 9),
    read('read the object', pathOf(object)),
    { title: 'delete', method: 'DELETE', path },
  ]
  return { topic: topicOf(object), name: 'scale', asks }
}
