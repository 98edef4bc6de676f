/** Structural schemas as OpenAPI writes them, version 3 or 2. */
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

/** One schema. `refs` gathers the names that it refers to. */
export function openApiSchema(schema: Schema, dialect: Dialect, refs: Set<string>): Json {
  if (schema.ref !== undefined) {
    refs.add(schema.ref)
    const ref = { $ref: dialect.prefix + schema.ref }
    if (schema.default === undefined || dialect.version === 2) return ref
    return { allOf: [ref], default: schema.default }
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
  for (const [field, name] of EXTENSIONS) if (schema[field] !== undefined) result[name] = schema[field]
  return result
}

/** The name under which a kind's schema stands in documents. */
export function schemaName(kind: Kind): string {
  if (typeof kind.schema === 'string') return kind.schema
  const reversed = kind.group.split('.').reverse().join('.')
  return `${reversed}.${kind.version}.${kind.kind}`
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

/** Every schema that `kinds` and `more` need, by name, sorted. */
export function schemasFor(kinds: readonly Kind[], more: readonly string[], dialect: Dialect): Json {
  const own = new Map<string, Schema>()
  for (const kind of kinds) {
    if (typeof kind.schema !== 'string') own.set(schemaName(kind), kind.schema)
    if (kind.verbs.includes('list')) own.set(`${schemaName(kind)}List`, listSchema(kind))
  }
  const wanted = new Set<string>([...own.keys(), ...kinds.map(schemaName), ...more])
  const result: [string, Json][] = []
  for (const name of wanted) {
    const schema = own.get(name) ?? definition(name)
    // A Set may grow while it is walked: what this one refers to comes later.
    if (schema) result.push([name, openApiSchema(schema, dialect, wanted)])
  }
  return Object.fromEntries(result.sort(([a], [b]) => (a < b ? -1 : 1)))
}
