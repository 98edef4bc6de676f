/** Structural schemas as OpenAPI writes them, version 3 or 2. */

import { TYPE_META } from '../../api/custom/open-api.ts'
import { definition } from '../../api/generated/schemas.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { Schema } from '../../api/machinery/schema.ts'

export type Json = Record<string, unknown>

/** How the two versions differ. */
export interface Dialect {
  readonly prefix: string
  /** v2 has no `nullable` and puts nothing beside a `$ref`. */
  readonly version: 2 | 3
}

export const V3: Dialect = { prefix: '#/components/schemas/', version: 3 }
export const V2: Dialect = { prefix: '#/definitions/', version: 2 }

const EXTENSIONS: readonly (readonly [keyof Schema, string])[] = [
  ['gvk', 'x-kubernetes-group-version-kind'],
  ['listType', 'x-kubernetes-list-type'],
  ['listMapKeys', 'x-kubernetes-list-map-keys'],
  ['mapType', 'x-kubernetes-map-type'],
  ['patchMergeKey', 'x-kubernetes-patch-merge-key'],
  ['patchStrategy', 'x-kubernetes-patch-strategy'],
  ['intOrString', 'x-kubernetes-int-or-string'],
  ['preserveUnknown', 'x-kubernetes-preserve-unknown-fields'],
  ['embeddedResource', 'x-kubernetes-embedded-resource'],
]

/** Formats that are Kubernetes' own: a document says them with another type. */
function typeOf(schema: Schema, dialect: Dialect): Json {
  if (schema.format === 'int-or-string') {
    return dialect.version === 3
      ? { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' }
      : { type: 'string', format: 'int-or-string' }
  }
  if (schema.format === 'quantity') {
    return dialect.version === 3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }
  }
  return { ...(schema.type && { type: schema.type }), ...(schema.format && { format: schema.format }) }
}

function extensionsOf(schema: Schema): Json {
  const result: Json = {}
  for (const [field, name] of EXTENSIONS) if (schema[field] !== undefined) result[name] = schema[field]
  return result
}

/** One schema. `refs` gathers the names that it refers to. */
export function openApiSchema(schema: Schema, dialect: Dialect, refs: Set<string>): Json {
  if (schema.ref !== undefined) {
    refs.add(schema.ref)
    const ref: Json = { $ref: dialect.prefix + schema.ref }
    const said = extensionsOf(schema)
    if (dialect.version === 2) return { ...ref, ...said }
    if (schema.default === undefined && !Object.keys(said).length) return ref
    return { allOf: [ref], ...(schema.default !== undefined && { default: schema.default }), ...said }
  }
  const inner = (each: Schema) => openApiSchema(each, dialect, refs)
  const result: Json = typeOf(schema, dialect)
  if (schema.properties) {
    const properties: Json = {}
    for (const [name, property] of Object.entries(schema.properties)) properties[name] = inner(property)
    result.properties = properties
  }
  if (schema.required?.length) result.required = schema.required
  if (schema.items) result.items = inner(schema.items)
  if (schema.additionalProperties === true) result.additionalProperties = true
  else if (schema.additionalProperties) result.additionalProperties = inner(schema.additionalProperties)
  if (schema.enum) result.enum = schema.enum
  if (schema.default !== undefined) result.default = schema.default
  if (schema.nullable && dialect.version === 3) result.nullable = true
  return Object.assign(result, extensionsOf(schema))
}

/** The name under which a kind's schema stands in documents. */
export function schemaName(kind: Kind): string {
  if (!kind.custom && typeof kind.schema === 'string') return kind.schema
  const reversed = kind.group.split('.').reverse().join('.')
  return `${reversed}.${kind.version}.${kind.kind}`
}

/** The name under which the schema of its list stands. */
export function listSchemaName(kind: Kind): string {
  const name = schemaName(kind)
  return kind.custom ? name.slice(0, -kind.kind.length) + kind.listKind : `${name}List`
}

function listSchema(kind: Kind): Schema {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' },
      items: { type: 'array', items: { ref: schemaName(kind) } },
    },
    gvk: [{ group: kind.group, version: kind.version, kind: kind.listKind }],
  }
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** The definitions of a custom kind and of its list, by name. */
function customSchemas(kind: Kind, dialect: Dialect): [string, Json][] {
  const { group, version, kind: name, listKind, plural } = kind
  const own = schemaName(kind)
  const item = kind.custom!.openApi(dialect)
  const { apiVersion, kind: kindProperty } = TYPE_META
  const items = {
    description: `List of ${plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
    type: 'array',
    items: { $ref: dialect.prefix + own },
  }
  const $ref = `${dialect.prefix}${META}.ListMeta`
  const metadata = {
    description:
      'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
    ...(dialect.version === 3 ? { allOf: [{ $ref }] } : { $ref }),
  }
  const list = {
    description: `${listKind} is a list of ${name}`,
    type: 'object',
    required: ['items'],
    properties: { apiVersion, items, kind: kindProperty, metadata },
    'x-kubernetes-group-version-kind': [{ group, version, kind: listKind }],
    ...(item[SELECTABLE] !== undefined && { [SELECTABLE]: item[SELECTABLE] }),
  }
  return [
    [own, item],
    [listSchemaName(kind), list],
  ]
}

const SELECTABLE = 'x-kubernetes-selectable-fields'

/** Every schema that `kinds` and `more` need, by name, sorted. */
export function schemasFor(kinds: readonly Kind[], more: readonly string[], dialect: Dialect): Json {
  const own = new Map<string, Schema>()
  const builtIn = kinds.filter(kind => !kind.custom)
  for (const kind of builtIn) {
    if (typeof kind.schema !== 'string') own.set(schemaName(kind), kind.schema)
    if (kind.verbs.includes('list')) own.set(listSchemaName(kind), listSchema(kind))
  }
  const wanted = new Set<string>([...own.keys(), ...builtIn.map(schemaName), ...more])
  const custom = kinds.filter(kind => kind.custom).flatMap(kind => customSchemas(kind, dialect))
  if (custom.length) wanted.add(`${META}.ObjectMeta`).add(`${META}.ListMeta`)
  const result = custom
  for (const name of wanted) {
    const schema = own.get(name) ?? definition(name)
    // A Set may grow while it is walked: what this one refers to comes later.
    if (schema) result.push([name, openApiSchema(schema, dialect, wanted)])
  }
  return Object.fromEntries(result.sort(([a], [b]) => (a < b ? -1 : 1)))
}
