/**
 * A custom resource's schema as OpenAPI documents publish it
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#publish-validation-schema-in-openapi).
 */
import { itemsOf, type JsonSchema, valuesOf } from './json-schema.ts'

type Json = Record<string, unknown>

/** The fields that every object and list begins with. */
export const TYPE_META = {
  apiVersion: { description: 'The group and version of the API that the object is written in.', type: 'string' },
  kind: { description: 'What the object is.', type: 'string' },
}
const METADATA = 'What every object says of itself: its name, labels, owners and more.'
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** What is published as it stands. */
const COPIED: readonly (keyof JsonSchema)[] = [
  'description',
  'title',
  'default',
  'example',
  'externalDocs',
  'format',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'maxProperties',
  'minProperties',
  'enum',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
]

export interface OpenApiTarget {
  readonly version: 2 | 3
  /** What stands before the name of a definition in a reference. */
  readonly prefix: string
}

const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }]

function isIntOrStringPattern(schema: JsonSchema): boolean {
  const fits = (list: readonly JsonSchema[] | undefined) =>
    list?.length === 2 && list[0]!.type === 'integer' && list[1]!.type === 'string'
  return fits(schema.anyOf) || fits(schema.allOf?.[0]?.anyOf)
}

function nested(schema: JsonSchema, target: OpenApiTarget): Json {
  return publish(schema, target, true)
}

/** anyOf and its like, and what int-or-string stands for. */
function alternatives(schema: JsonSchema, target: OpenApiTarget, result: Json): void {
  const list = (schemas: readonly JsonSchema[]) => schemas.map(each => nested(each, target))
  if (schema.allOf) result.allOf = list(schema.allOf)
  if (schema.anyOf) result.anyOf = list(schema.anyOf)
  if (schema.oneOf) result.oneOf = list(schema.oneOf)
  if (schema.not) result.not = nested(schema.not, target)
  if (!schema['x-kubernetes-int-or-string'] || isIntOrStringPattern(schema)) return
  if (!schema.anyOf) result.anyOf = INT_OR_STRING
  else result.allOf = [{ anyOf: INT_OR_STRING }, ...((result.allOf as Json[] | undefined) ?? [])]
}

function publish(schema: JsonSchema, target: OpenApiTarget, isNested = false): Json {
  const v2 = target.version === 2
  const result: Json = {}
  for (const field of COPIED) {
    const value = schema[field]
    if (value !== undefined && value !== false) result[field] = value
  }
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  const items = itemsOf(schema)
  // kubectl's reader of version 2 does not cope with nulls, nor with fields beside unknown ones.
  const bare = v2 && (schema.nullable === true || preserves)
  const untyped = bare && (schema.nullable === true || schema.type === 'object' || schema.type === 'array')
  if (schema.type && !untyped) result.type = schema.type
  if (schema.nullable && !v2) result.nullable = true
  if (schema.properties && !bare) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, each]) => [name, publish(each, target, isNested)]),
    )
  }
  if (items && !bare) result.items = publish(items, target, isNested)
  const values = valuesOf(schema)
  if (values) result.additionalProperties = publish(values, target, isNested)
  else if (schema.additionalProperties !== undefined) result.additionalProperties = schema.additionalProperties
  const required = requiredOf(schema, v2)
  if (required.length) result.required = required
  if (!v2) alternatives(schema, target, result)
  if (schema['x-kubernetes-embedded-resource'] && !(v2 && preserves)) addEmbedded(result, target)
  return result
}

function requiredOf(schema: JsonSchema, v2: boolean): readonly string[] {
  const required = schema.required ?? []
  if (!v2) return required
  if (valuesOf(schema)?.nullable) return []
  return required.filter(name => !schema.properties?.[name]?.nullable)
}

/** Version 3 puts nothing beside a reference. */
function metadataOf({ prefix, version }: OpenApiTarget): Json {
  const reference = { $ref: prefix + OBJECT_META }
  return { description: METADATA, ...(version === 3 ? { allOf: [reference] } : reference) }
}

function addEmbedded(result: Json, target: OpenApiTarget): void {
  result.properties = {
    ...(result.properties as Json | undefined),
    ...TYPE_META,
    metadata: metadataOf(target),
  }
  result.required = [...new Set([...((result.required as string[] | undefined) ?? []), 'kind', 'apiVersion'])]
}

export interface PublishedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Dotted paths. */
  readonly selectable?: readonly string[]
}

/** The document's definition of a custom resource. Refers to ObjectMeta. */
export function publishSchema(schema: JsonSchema | undefined, of: PublishedKind, target: OpenApiTarget): Json {
  const { group, version, kind, selectable = [] } = of
  const extensions: Json = { 'x-kubernetes-group-version-kind': [{ group, version, kind }] }
  if (selectable.length) {
    extensions['x-kubernetes-selectable-fields'] = selectable.map(fieldPath => ({ fieldPath }))
  }
  const hidden = target.version === 2 && schema?.['x-kubernetes-preserve-unknown-fields']
  if (!schema || hidden) return { type: 'object', ...extensions }
  const result = publish(schema, target)
  const properties = result.properties as Json | undefined
  return {
    ...result,
    properties: { ...TYPE_META, ...properties, metadata: metadataOf(target) },
    ...extensions,
  }
}
