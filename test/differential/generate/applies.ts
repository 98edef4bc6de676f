/** Server-side apply by several managers, and what it does with updates by others. */
import { APPLY, type Ask, create, kindOf, MERGE, pathOf, read, type Scene, topicOf } from '../ask.ts'
import type { Json } from '../bases/base.ts'

const MANAGED = '&fieldValidation=Strict'

/** The scene of a kind: `small` and `full` are two objects of one name. */
export function applies(small: Json, full: Json): Scene[] {
  const path = pathOf(full)
  const topic = topicOf(full)
  const apply = (title: string, manager: string, body: Json, query = ''): Ask => ({
    title,
    method: 'PATCH',
    path: `${path}?fieldManager=${manager}${MANAGED}${query}`,
    type: APPLY,
    body,
  })
  const { metadata, ...rest } = full
  const fullIntent = { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, a: '1', b: '2' } } }
  const identity = { apiVersion: full.apiVersion, kind: full.kind, metadata: { name: metadata.name } }
  const labels = (map: Json): Json => ({ ...identity, metadata: { ...identity.metadata, labels: map } })
  const main: Ask[] = [
    apply('try', 'one', fullIntent, '&dryRun=All'),
    apply('make', 'one', fullIntent),
    apply('again', 'one', fullIntent),
    apply('small by another', 'two', small),
    apply('small by another, by force', 'two', small, '&force=true'),
    apply('labels by a third', 'three', labels({ a: '1', c: '3' })),
    apply('labels in conflict', 'three', labels({ a: '9', b: '9' })),
    apply('labels by force', 'three', labels({ a: '9', b: '9' }), '&force=true'),
    apply('full again', 'one', fullIntent),
    apply('full by force', 'one', fullIntent, '&force=true'),
    apply('labels given up', 'three', identity),
    {
      title: 'update by a fourth',
      method: 'PATCH',
      path: `${path}?fieldManager=four`,
      type: MERGE,
      body: { metadata: { labels: { a: '4', d: '4' }, annotations: { x: 'y' } } },
    },
    apply('full after the update', 'one', fullIntent),
    apply('full after the update, by force', 'one', fullIntent, '&force=true'),
    apply('everything given up', 'one', identity),
    apply('everything given up by two', 'two', identity),
    read('read', path),
    apply('with an unknown field', 'one', { ...identity, odd: 1 }),
    apply('with managed fields', 'one', { ...identity, metadata: { ...identity.metadata, managedFields: [{}] } }),
    apply('with a version', 'one', { ...identity, metadata: { ...identity.metadata, resourceVersion: '1' } }),
    apply('with another name', 'one', { ...identity, metadata: { name: 'b' } }),
    apply('without a manager', '', identity),
    apply('without a kind', 'one', { ...identity, kind: undefined }),
    apply('nothing', 'one', {}),
  ]
  const last = 'kubectl.kubernetes.io/last-applied-configuration'
  const annotated = {
    ...fullIntent,
    metadata: {
      ...fullIntent.metadata,
      annotations: { ...metadata.annotations, [last]: `${JSON.stringify(fullIntent)}\n` },
    },
  }
  const upgrade: Ask[] = [
    create('client-side apply', annotated, '?fieldManager=kubectl-client-side-apply'),
    apply('server-side apply', 'kubectl', fullIntent),
    apply('without the labels', 'kubectl', full),
  ]
  const status: Ask[] = [
    create('create', full),
    ...[
      { ...identity, status: {} },
      { ...identity, ...rest, status: {} },
    ].map(
      (body, index): Ask => ({
        title: `to status ${index}`,
        method: 'PATCH',
        path: `${path}/status?fieldManager=s${MANAGED}`,
        type: APPLY,
        body: { ...body, metadata: { ...identity.metadata, labels: { s: 't' } } },
      }),
    ),
  ]
  return [
    { topic, name: 'apply', asks: main },
    { topic, name: 'apply after kubectl', asks: upgrade },
    ...(kindOf(full).status ? [{ topic, name: 'apply to status', asks: status }] : []),
  ]
}
