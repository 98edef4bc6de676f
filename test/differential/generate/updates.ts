/** Each field of a stored object changed in turn: what is immutable shows. By JSON patch, and as whole objects. */
import { type Ask, create, DRY, JSON_PATCH, MERGE, patch, pathOf, read, replace, type Scene, topicOf } from '../ask.ts'
import type { Base, Json } from '../bases/base.ts'
import { type Progress, wrongForms } from './creates.ts'
import { pointerOf } from './fields.ts'
import type { Wrong } from './wrong.ts'

/** The rest has been tried on create, and goes the same way. */
const TRIED = new Set([
  'different',
  'missing',
  'turned',
  'added',
  'empty',
  'of bad form',
  'negative',
  'with an item twice',
])

const operation = (pointer: string, { value, what }: Wrong) =>
  value === undefined
    ? { op: 'remove', path: pointer }
    : { op: what.startsWith('added') ? 'add' : 'replace', path: pointer, value }

export function changes(progress: Progress, { name, object }: Base): Scene {
  const path = pathOf(object)
  const asks: Ask[] = [create('create', object), read('read', path)]
  for (const [title, field, wrong] of wrongForms(progress, object, `update ${name}`)) {
    if (wrong.structural || !TRIED.has(wrong.what)) continue
    asks.push(patch(title, path + DRY, JSON_PATCH, [operation(pointerOf(field.path), wrong)]))
  }
  return { topic: topicOf(object), name: `update ${name}`, asks }
}

const withMetadata = (object: Json, metadata: Json): Json => ({
  ...object,
  metadata: { ...object.metadata, ...metadata },
})

/** PUT with what can be said in metadata. */
export function replacements({ object }: Base): Scene {
  const labelled = withMetadata(object, { labels: { changed: 'yes' }, resourceVersion: '{{rv}}' })
  const put = (title: string, next: Json, query = DRY): Ask => ({ ...replace(title, object, query), body: next })
  const asks: Ask[] = [
    replace('before it exists', object, DRY),
    create('create', object),
    create('create again', object),
    put('as it was sent', object),
    put('with its version', withMetadata(object, { resourceVersion: '{{rv}}' })),
    put('with an old version', withMetadata(object, { resourceVersion: '1' })),
    put('with a version that is none', withMetadata(object, { resourceVersion: 'x' })),
    put('with another uid', withMetadata(object, { resourceVersion: '{{rv}}', uid: 'x' })),
    put('with another name', withMetadata(object, { name: 'b' })),
    put('without a name', withMetadata(object, { name: undefined })),
    put('with another namespace', withMetadata(object, { namespace: 'other' })),
    put('of another kind', { ...object, kind: 'Other' }),
    put('of another version', { ...object, apiVersion: 'example.com/v1' }),
    put('with labels', labelled),
    put('with an unknown field', { ...labelled, odd: 1 }),
    put('with an unknown field, warned', { ...labelled, odd: 1 }, '?dryRun=All&fieldValidation=Warn'),
    put('with an unknown field, ignored', { ...labelled, odd: 1 }, '?dryRun=All&fieldValidation=Ignore'),
    put('with finalizers', withMetadata(labelled, { finalizers: ['example.com/x', 'example.com/x'] })),
    put(
      'with an owner',
      withMetadata(labelled, { ownerReferences: [{ kind: 'X', name: 'x', apiVersion: 'v1', uid: 'u' }] }),
    ),
    put(
      'with a bad owner',
      withMetadata(labelled, { ownerReferences: [{ kind: '', name: '', apiVersion: '', uid: '' }] }),
    ),
    put('with a deletion time', withMetadata(labelled, { deletionTimestamp: '2026-01-01T00:00:00Z' })),
    put('with a generation', withMetadata(labelled, { generation: 77 })),
    put('with managed fields', withMetadata(labelled, { managedFields: [] })),
    put('for good', labelled, '?fieldManager=other'),
    read('read', pathOf(object)),
    patch('annotate', `${pathOf(object)}?fieldManager=third`, MERGE, { metadata: { annotations: { a: 'b' } } }),
    { title: 'delete', method: 'DELETE', path: pathOf(object) },
    { title: 'delete again', method: 'DELETE', path: pathOf(object) },
  ]
  return { topic: topicOf(object), name: 'replace', asks }
}
