/** Lists with selectors and pages, tables, metadata only. */
import {
  type Ask,
  collectionOf,
  create,
  kindOf,
  METADATA,
  METADATA_LIST,
  pathOf,
  read,
  type Scene,
  TABLE,
  topicOf,
} from '../ask.ts'
import type { Json } from '../bases/base.ts'

/** What an object says of itself in its name, where it does. */
function specFor({ kind, spec }: Json, name: string): Json {
  const [first = ''] = name.split('.')
  if (kind === 'APIService') return { ...spec, version: first }
  return kind === 'CustomResourceDefinition' ? { ...spec, names: { plural: first, kind: first.toUpperCase() } } : spec
}

const named = (object: Json, name: string, labels: Json): Json => ({
  ...object,
  metadata: { ...object.metadata, name, labels },
  ...(object.spec && { spec: specFor(object, name) }),
})

const SELECTORS = ['x=1', 'x!=1', 'x in (1,2)', 'x notin (1)', 'x', '!x', 'x=1,diff', 'x>1', 'x in 1', 'X Y', 'x=Bad!']
const FIELDS = [
  'metadata.name=a',
  'metadata.name!=a',
  'metadata.namespace=d',
  'metadata.name=a,metadata.name=b',
  'odd=x',
  'x',
  'spec.odd=x',
]

/** The lists of a kind. `names` are those that its objects can have. */
export function reads(object: Json, names: readonly string[]): Scene {
  const collection = collectionOf(object)
  const kind = kindOf(object)
  const ours = 'labelSelector=diff'
  const list = (title: string, query: string, accept?: string): Ask => read(title, `${collection}?${query}`, accept)
  const one = `${collection}/${names[0]}`
  const asks: Ask[] = [
    ...names.map((name, index) => create(`create ${name}`, named(object, name, { diff: 'x', x: String(index + 1) }))),
    read('one', one),
    read('one as table', one, TABLE),
    read('one as metadata', one, METADATA),
    read('missing', `${collection}/missing`),
    read('missing as table', `${collection}/missing`, TABLE),
    list('all', ours),
    list('all as table', ours, TABLE),
    list('all as table with objects', `${ours}&includeObject=Object`, TABLE),
    list('all as table without objects', `${ours}&includeObject=None`, TABLE),
    list('all as metadata', ours, METADATA_LIST),
    list('first page', `${ours}&limit=1`),
    list('second page', `${ours}&limit=1&continue={{continue}}`),
    list('bad limit', `${ours}&limit=x`),
    list('bad continue', `${ours}&limit=1&continue=x`),
    ...SELECTORS.map(selector =>
      list(
        `labels ${selector}`,
        `labelSelector=${encodeURIComponent(selector.includes('diff') ? selector : `${selector},diff`)}`,
      ),
    ),
    ...FIELDS.map(selector => list(`fields ${selector}`, `${ours}&fieldSelector=${encodeURIComponent(selector)}`)),
    ...Object.keys(kind.selectable ?? {}).flatMap(field => [
      list(`field ${field}=`, `${ours}&fieldSelector=${encodeURIComponent(`${field}=`)}`),
      list(`field ${field}=a`, `${ours}&fieldSelector=${encodeURIComponent(`${field}=a`)}`),
    ]),
    ...(kind.namespaced ? [read('in all namespaces', `${collection.replace(/\/namespaces\/[^/]+/, '')}?${ours}`)] : []),
    { title: 'delete some', method: 'DELETE', path: `${collection}?labelSelector=${encodeURIComponent('x=1,diff')}` },
    list('after', ours),
  ]
  return { topic: topicOf(object), name: 'read', asks }
}

/** Deletes with all that can be said in them. */
export function deletes(object: Json): Scene[] {
  const path = pathOf(object)
  const topic = topicOf(object)
  const kept: Json = { ...object, metadata: { ...object.metadata, finalizers: ['example.com/x'] } }
  const del = (title: string, query: string, body?: Json): Ask => ({
    title,
    method: 'DELETE',
    path: path + query,
    ...(body && { body }),
  })
  const options = (more: Json): Json => ({ apiVersion: 'v1', kind: 'DeleteOptions', ...more })
  const tried: Ask[] = [
    create('create', object),
    del('dry', '?dryRun=All'),
    del('dry by body', '', options({ dryRun: ['All'] })),
    del('bad policy', '', options({ propagationPolicy: 'Odd' })),
    del('policy and orphans', '', options({ propagationPolicy: 'Orphan', orphanDependents: true })),
    del('other uid', '', options({ preconditions: { uid: 'x' } })),
    del('other version', '', options({ preconditions: { resourceVersion: '1' } })),
    del('bad dry run', '', options({ dryRun: ['Some'] })),
    del('of another kind', '', { apiVersion: 'v1', kind: 'Other' }),
    del('bad grace', '?gracePeriodSeconds=x'),
    del('negative grace', '?gracePeriodSeconds=-1&dryRun=All'),
    del('with uid', '', options({ preconditions: { uid: '{{uid}}' } })),
  ]
  const policies = ['Foreground', 'Orphan', 'Background'].map(
    (policy): Scene => ({
      topic,
      name: `delete ${policy}`,
      asks: [
        create('create', object),
        del('delete', `?propagationPolicy=${policy}`),
        read('read', path),
        del('delete again', ''),
      ],
    }),
  )
  const finalized: Scene = {
    topic,
    name: 'delete finalized',
    asks: [
      create('create', kept),
      del('delete', ''),
      read('read', path),
      del('again', '?propagationPolicy=Foreground'),
      {
        title: 'add a finalizer',
        method: 'PATCH',
        path,
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: ['example.com/x', 'example.com/y'] } },
      },
      {
        title: 'finalize',
        method: 'PATCH',
        path,
        type: 'application/merge-patch+json',
        body: { metadata: { finalizers: null } },
      },
      read('gone', path),
    ],
  }
  return [{ topic, name: 'delete', asks: tried }, ...policies, finalized]
}
