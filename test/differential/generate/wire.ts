/** Bodies and types that are not what they should be, and fields that are unknown or repeated. */
import { type Ask, collectionOf, pathOf, read, type Scene, topicOf } from '../ask.ts'
import type { Json } from '../bases/base.ts'
import { chosen } from './chance.ts'
import type { Progress } from './creates.ts'

const VALIDATIONS = ['Strict', 'Warn', 'Ignore', 'Odd', ''] as const

/** All of them, or one in a few. */
export function wire(progress: Progress, object: Json, every: boolean): Scene {
  const collection = collectionOf(object)
  const text = JSON.stringify(object)
  const post = (title: string, raw: string, more: Partial<Ask> = {}, query = '?dryRun=All'): Ask => ({
    title,
    method: 'POST',
    path: collection + query,
    raw,
    ...more,
  })
  const odd = `{"odd":1,"metadata":{"odd":2,"name":"a","name":"a"},${text.slice(1).replace(/"metadata":\{[^}]*\},/, '')}`
  const asks: Ask[] = [
    ...VALIDATIONS.map(mode => post(`validation ${mode}`, odd, {}, `?dryRun=All&fieldValidation=${mode}`)),
    post('empty', ''),
    post('no JSON', 'x'),
    post('cut off', text.slice(0, -5)),
    post('too much', `${text}{}`),
    post('a list', '[]'),
    post('a text', '"x"'),
    post('a number', '7'),
    post('null', 'null'),
    post('empty object', '{}'),
    post('without kind', JSON.stringify({ ...object, kind: undefined })),
    post('without version', JSON.stringify({ ...object, apiVersion: undefined })),
    post('of another kind', JSON.stringify({ ...object, kind: 'Other' })),
    post('of another version', JSON.stringify({ ...object, apiVersion: 'example.com/v9' })),
    post('kind mistyped', JSON.stringify({ ...object, kind: 7 })),
    post('metadata mistyped', JSON.stringify({ ...object, metadata: 7 })),
    post('metadata null', JSON.stringify({ ...object, metadata: null })),
    post('without a name', JSON.stringify({ ...object, metadata: {} })),
    post('with generateName', JSON.stringify({ ...object, metadata: { generateName: 'g-' } })),
    post('with a name of another case', text.replace('"metadata"', '"Metadata"')),
    post('type text/plain', text, { type: 'text/plain' }),
    post('type YAML', text, { type: 'application/yaml' }),
    post('type with charset', text, { type: 'application/json; charset=utf-8' }),
    post('type CBOR', text, { type: 'application/cbor' }),
    post('type of a patch', text, { type: 'application/merge-patch+json' }),
    post('bad dry run', text, {}, '?dryRun=Some'),
    post('bad manager', text, {}, `?dryRun=All&fieldManager=${'x'.repeat(129)}`),
    post('unprintable manager', text, {}, '?dryRun=All&fieldManager=%07'),
    post('to another namespace', JSON.stringify({ ...object, metadata: { ...object.metadata, namespace: 'other' } })),
    { title: 'accept text', method: 'GET', path: collection, accept: 'text/plain' },
    { title: 'accept CBOR', method: 'GET', path: `${collection}?labelSelector=none`, accept: 'application/cbor' },
    { title: 'accept unknown form', method: 'GET', path: pathOf(object), accept: 'application/json;as=Odd' },
    { title: 'patch of no type', method: 'PATCH', path: pathOf(object), raw: '{}', type: 'application/json' },
    {
      title: 'patch of bad JSON',
      method: 'PATCH',
      path: pathOf(object),
      raw: '{',
      type: 'application/merge-patch+json',
    },
    {
      title: 'patch of what is missing',
      method: 'PATCH',
      path: pathOf(object),
      raw: '{}',
      type: 'application/merge-patch+json',
    },
    { title: 'post to an object', method: 'POST', path: pathOf(object), raw: text },
    { title: 'put to a collection', method: 'PUT', path: collection, raw: text },
    { title: 'delete with bad body', method: 'DELETE', path: pathOf(object), raw: '{' },
    read('unknown resource', `${collection}x`),
    read('unknown subresource', `${pathOf(object)}/odd`),
  ]
  const topic = topicOf(object)
  const some = asks.filter(({ title }) => every || chosen(progress.seed, `${topic} ${title}`, 5))
  return { topic, name: 'wire', asks: some }
}
