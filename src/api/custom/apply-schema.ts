/** A custom schema in the form that server-side apply, managed fields and CEL read. */
import type { Schema } from '../machinery/schema.ts'
import { usableFormat } from './formats.ts'
import { itemsOf, type JsonSchema, valuesOf } from './json-schema.ts'

/** With the limits by which the cost of CEL rules is estimated. */
export interface LimitedSchema extends Schema {
  readonly maxLength?: number
  readonly maxItems?: number
  readonly maxProperties?: number
}

type Building = { -readonly [K in keyof LimitedSchema]: LimitedSchema[K] }

const META: Schema = { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }
const TEXT: Schema = { type: 'string' }

const converted = new WeakMap<JsonSchema, LimitedSchema>()

/** The same schema in the other form; the same one every time. */
export function convert(schema: JsonSchema): LimitedSchema {
  const known = converted.get(schema)
  if (known) return known
  const made = make(schema)
  converted.set(schema, made)
  return made
}

function make(schema: JsonSchema): LimitedSchema {
  const result: Building = {}
  for (const limit of ['maxLength', 'maxItems', 'maxProperties'] as const) {
    if (schema[limit] !== undefined) result[limit] = schema[limit]
  }
  if (schema['x-kubernetes-int-or-string']) return { ...result, intOrString: true }
  const format = usableFormat(schema.type ? [schema.type] : [], schema.format)
  if (format) result.format = format
  if (schema.required) result.required = schema.required
  if (schema.enum) result.enum = schema.enum
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
