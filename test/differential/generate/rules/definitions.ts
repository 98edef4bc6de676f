/** Rules of CustomResourceDefinitions. */
import type { Json } from '../../bases/base.ts'
import { type Case, of } from '../written.ts'

const definition = (name: string, change: (spec: Json) => void) =>
  of('CustomResourceDefinition', name, ({ spec }) => change(spec))
const schema = (name: string, properties: Json) =>
  definition(`schema: ${name}`, ({ versions }) => {
    versions[0].schema.openAPIV3Schema = { type: 'object', properties }
  })
const root = (name: string, value: Json) =>
  definition(`root with a status: ${name}`, ({ versions }) => {
    versions[0].subresources = { status: {} }
    versions[0].schema.openAPIV3Schema = value
  })

const text = { type: 'string' }
const spec = { type: 'object', properties: { x: text, y: text } }
const open = { 'x-kubernetes-preserve-unknown-fields': true }

export const definitions: readonly Case[] = [
  definition('selectable fields without a schema', ({ versions }) => {
    delete versions[0].schema
    versions[0].selectableFields = [{ jsonPath: '.spec.x' }]
  }),
  definition('selectable fields of one version', spec => {
    const [first] = spec.versions
    first.schema.openAPIV3Schema.properties = { spec: text }
    const second = { ...structuredClone(first), name: 'v2', storage: false }
    second.selectableFields = [{ jsonPath: '.spec' }]
    spec.versions = [first, second]
  }),
  definition('selectable name', ({ versions }) => {
    const metadata = { type: 'object', properties: { name: text } }
    versions[0].schema.openAPIV3Schema.properties = { metadata, spec }
    versions[0].selectableFields = [{ jsonPath: '.metadata.name' }]
  }),
  schema('map type without a type', { o: { ...open, 'x-kubernetes-map-type': 'atomic' } }),
  schema('list type without a type', { o: { ...open, 'x-kubernetes-list-type': 'atomic' } }),
  schema('set of sets', {
    l: {
      type: 'array',
      'x-kubernetes-list-type': 'set',
      items: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    },
  }),
  schema('keys without a list type', { l: { type: 'array', 'x-kubernetes-list-map-keys': ['k'], items: spec } }),
  schema('map of two kinds of items', {
    l: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: [spec, spec] },
  }),
  schema('embedded, with any fields', {
    o: { type: 'object', 'x-kubernetes-embedded-resource': true, additionalProperties: text },
  }),
  definition('schema: fields and items that stand in alternatives alone', ({ versions }) => {
    const anyOf = [{ properties: { a: { minLength: 1 } } }, { items: { minLength: 1 } }]
    versions[0].schema.openAPIV3Schema = { type: 'object', anyOf }
  }),
  root('of another type', { type: 'string' }),
  root('with alternatives', { type: 'object', properties: { spec }, anyOf: [{ required: ['spec'] }] }),
]
