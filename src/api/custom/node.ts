/**
 * A custom resource's schema, compiled: what the walks over objects (pruning, defaulting, validation) need of it, in
 * maps and flags. Made when the first object of the kind is written or read, never at start.
 */
import type { ValidationRule } from '../generated/types/apiextensions-v1.ts'
import { usableFormat } from './formats.ts'
import type { JsonSchema } from './json-schema.ts'

export interface CustomNode {
  /** '' where none is said. */
  readonly type: string
  /** As validation takes them: two for int-or-string. */
  readonly types: readonly string[]
  readonly nullable: boolean
  /** '' for formats that are not checked. */
  readonly format: string
  readonly properties: ReadonlyMap<string, CustomNode>
  /** Schema of the values of a map. */
  readonly values: CustomNode | undefined
  /** `additionalProperties` as said: true, false, a schema (true), or not at all. */
  readonly additional: boolean | undefined
  readonly items: CustomNode | undefined
  readonly required: readonly string[]
  readonly enum: readonly unknown[] | undefined
  /** undefined: none. */
  readonly default: unknown
  readonly preserveUnknown: boolean
  readonly embedded: boolean
  readonly listType: string
  readonly listMapKeys: readonly string[]
  readonly mapType: string
  readonly allOf: readonly CustomNode[]
  readonly anyOf: readonly CustomNode[]
  readonly oneOf: readonly CustomNode[]
  readonly not: CustomNode | undefined
  /** The schema itself, for limits that few have. */
  readonly schema: JsonSchema
  readonly rules: readonly ValidationRule[]
  /** Somewhere here or below. They save walks. */
  readonly has: {
    readonly defaults: boolean
    readonly embedded: boolean
    readonly keyed: boolean
    readonly rules: boolean
  }
}

const NONE: readonly never[] = []
const NO_PROPERTIES: ReadonlyMap<string, CustomNode> = new Map()

/** Compiles a schema. Its fields `items` and `additionalProperties` are schemas or absent, as its validation demands. */
export function compileNode(schema: JsonSchema): CustomNode {
  const type = schema.type ?? ''
  const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : type ? [type] : NONE
  const properties = schema.properties
    ? new Map(Object.entries(schema.properties).map(([name, each]) => [name, compileNode(each)]))
    : NO_PROPERTIES
  const values = isSchema(schema.additionalProperties) ? compileNode(schema.additionalProperties) : undefined
  const items = isSchema(schema.items) ? compileNode(schema.items) : undefined
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const listType = schema['x-kubernetes-list-type'] ?? ''
  const rules = schema['x-kubernetes-validations'] ?? NONE
  const below = [...properties.values(), ...(values ? [values] : []), ...(items ? [items] : [])]
  return {
    type,
    types,
    nullable: schema.nullable === true,
    format: usableFormat(types, schema.format),
    properties,
    values,
    additional: typeof schema.additionalProperties === 'object' ? true : schema.additionalProperties,
    items,
    required: schema.required ?? NONE,
    enum: schema.enum?.length ? schema.enum : undefined,
    default: schema.default ?? undefined,
    preserveUnknown: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embedded,
    listType,
    listMapKeys: schema['x-kubernetes-list-map-keys'] ?? NONE,
    mapType: schema['x-kubernetes-map-type'] ?? '',
    allOf: schema.allOf?.map(compileNode) ?? NONE,
    anyOf: schema.anyOf?.map(compileNode) ?? NONE,
    oneOf: schema.oneOf?.map(compileNode) ?? NONE,
    not: schema.not && compileNode(schema.not),
    schema,
    rules,
    has: {
      defaults: (schema.default ?? undefined) !== undefined || below.some(each => each.has.defaults),
      embedded: embedded || below.some(each => each.has.embedded),
      keyed: listType === 'set' || listType === 'map' || below.some(each => each.has.keyed),
      rules: rules.length > 0 || below.some(each => each.has.rules),
    },
  }
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
