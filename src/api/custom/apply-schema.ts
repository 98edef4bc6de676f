/** A custom schema in the form that server-side apply and managed fields read. */
import type { Schema } from '../machinery/schema.ts'
import { itemsOf, type JsonSchema, valuesOf } from './json-schema.ts'

type Building = { -readonly [K in keyof Schema]: Schema[K] }

const META: Schema = { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
const TEXT: Schema = { type: 'string' }

function convert(schema: JsonSchema): Schema {
  const result: Building = {}
  if (schema['x-kubernetes-int-or-string']) return { intOrString: true }
  if (schema.type) result.type = schema.type as NonNullable<Schema['type']>
  if (schema.properties) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, each]) => [name, convert(each)]),
    )
  }
  const items = itemsOf(schema)
  if (items) result.items = convert(items)
  const values = valuesOf(schema)
  if (values) result.additionalProperties = convert(values)
  else if (schema.additionalProperties === true) result.additionalProperties = true
  if (schema.default !== undefined) result.default = schema.default
  if (schema.nullable) result.nullable = true
  if (schema['x-kubernetes-list-type']) result.listType = schema['x-kubernetes-list-type'] as 'set'
  if (schema['x-kubernetes-list-map-keys']) result.listMapKeys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-map-type']) result.mapType = schema['x-kubernetes-map-type'] as 'atomic'
  if (schema['x-kubernetes-preserve-unknown-fields']) result.preserveUnknown = true
  if (schema['x-kubernetes-embedded-resource']) result.embeddedResource = true
  return result
}

/** The schema of a resource: with apiVersion, kind and metadata. */
export function applySchema(schema: JsonSchema | undefined): Schema {
  const root = schema ? convert(schema) : { type: 'object' as const, preserveUnknown: true }
  return { ...root, properties: { ...root.properties, apiVersion: TEXT, kind: TEXT, metadata: META } }
}
