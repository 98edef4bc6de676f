/**
 * Schemas, compiled: references followed, fields in maps, types narrowed to what the walks over objects tell apart.
 * Compiled once per schema; recursive schemas make recursive nodes.
 */
import { goFields } from '../generated/go-fields.ts'
import { definition } from '../generated/schemas.ts'
import type { Schema } from './schema.ts'

export type NodeType =
  | 'any'
  | 'object'
  | 'map'
  | 'array'
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'int-or-string'
  | 'quantity'
  | 'time'
  | 'schema'
  | 'bytes'

/** How fields in a list or map are owned and merged. */
export type Merging = 'atomic' | 'granular' | 'set' | 'map'

export interface SchemaNode {
  readonly type: NodeType
  /** Fields of an object. */
  readonly fields: ReadonlyMap<string, SchemaNode>
  /** An object that may have further fields. */
  readonly open: boolean
  readonly required: readonly string[]
  readonly nullable: boolean
  /** Values of a map, items of an array; the node itself elsewhere. */
  readonly element: SchemaNode
  /** Bounds of an integer. */
  readonly min: number
  readonly max: number
  /** Maps, objects and what may be anything: atomic or granular. Arrays: atomic, set or map. */
  readonly merging: Merging
  /** Keys of an array of merging `map`. */
  readonly keys: readonly string[]
  /** Defaults of key fields, by name: an absent key counts as its default. */
  readonly keyDefaults: Readonly<Record<string, unknown>>
  /** An object of a built-in kind: what Go's encoder leaves out is not kept. */
  readonly typed: boolean
  /** What every object of a built-in kind shows, filled or not: fields with their zeros. Null is left out. */
  readonly zeros: readonly (readonly [key: string, zero: unknown])[]
  /** Optional scalars of a built-in kind that keep a zero that was said. */
  readonly pointers: ReadonlySet<string>
  /** Strategic merge: what is done with the field, and the key of list items. */
  readonly patchStrategy: string
  readonly patchMergeKey: string
  /** Structs of Go, with dots, that fields of an object stand in and JSON does not show. */
  readonly embedded: Readonly<Record<string, string>>
  /** What Go and OpenAPI call the type. */
  readonly goType: string
  readonly openApiType: string
  /** What null stands for in a list or map. */
  zero(): unknown
}

type Building = { -readonly [K in keyof SchemaNode]: SchemaNode[K] }

const byName = new Map<string, SchemaNode>()
const bySchema = new WeakMap<Schema, SchemaNode>()
const NO_FIELDS: ReadonlyMap<string, SchemaNode> = new Map()
const NO_NAMES: ReadonlySet<string> = new Set()
const NONE: readonly string[] = []
const NO_ZEROS: SchemaNode['zeros'] = []

/** The compiled form of a schema, or of the generated schema of that name. Throws for a name that does not exist. */
export function compileSchema(schema: Schema | string): SchemaNode {
  if (typeof schema !== 'string') {
    const known = bySchema.get(schema)
    if (known) return known
    if (schema.ref !== undefined) return compileReference(schema, schema.ref)
    return compile(schema, '', node => bySchema.set(schema, node))
  }
  const known = byName.get(schema)
  if (known) return known
  const found = definition(schema)
  if (!found) throw new Error(`no definition ${JSON.stringify(schema)} among the generated schemas`)
  return compile(found, schema, node => byName.set(schema, node))
}

/** What is referred to, with what the field says of it. */
function compileReference(schema: Schema, ref: string): SchemaNode {
  const { mapType, patchStrategy } = schema
  const node = compileSchema(ref)
  if (mapType === undefined && patchStrategy === undefined) return node
  const own = { ...node, merging: mapType ?? node.merging, patchStrategy: patchStrategy ?? node.patchStrategy }
  bySchema.set(schema, own)
  return own
}

const GO: Partial<Record<NodeType, string>> = {
  string: 'string',
  integer: 'int64',
  number: 'float64',
  boolean: 'bool',
  any: 'interface {}',
  'int-or-string': 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  bytes: '[]uint8',
}

/** Registers the node before its parts are compiled, so that recursion ends. */
function compile(schema: Schema, name: string, register: (node: SchemaNode) => void): SchemaNode {
  const type = typeOf(schema)
  const node: Building = {
    type,
    fields: NO_FIELDS,
    open: false,
    required: schema.required ?? NONE,
    nullable: schema.nullable === true,
    element: undefined as unknown as SchemaNode,
    min: schema.format === 'int32' ? -(2 ** 31) : -(2 ** 63),
    max: schema.format === 'int32' ? 2 ** 31 - 1 : 2 ** 63 - 1,
    merging: 'atomic',
    keys: [...(schema.listMapKeys ?? NONE)].sort(),
    keyDefaults: {},
    typed: false,
    zeros: NO_ZEROS,
    pointers: NO_NAMES,
    embedded: {},
    patchStrategy: schema.patchStrategy ?? '',
    patchMergeKey: schema.patchMergeKey ?? '',
    goType: GO[type] ?? '',
    openApiType: schema.type ?? 'any',
    zero: () => ZEROS[type]?.() ?? null,
  }
  node.element = node
  register(node)
  if (type === 'object') compileObject(node, schema, name)
  else if (type === 'map') compileMap(node, schema)
  else if (type === 'array') compileArray(node, schema)
  else if (type === 'any') node.merging = isAtomicAny(schema, name) ? 'atomic' : 'granular'
  else if (schema.format === 'int32') node.goType = 'int32'
  else if (name.endsWith('.MicroTime')) node.goType = 'v1.MicroTime'
  const alternatives = SCHEMA_ALTERNATIVES.exec(name)
  if (alternatives) compileAlternatives(node, alternatives[1]!, name)
  return node
}

/** What holds an object of any kind is owned as one: to Go it is bytes. */
const isAtomicAny = ({ mapType }: Schema, name: string) => mapType === 'atomic' || name.endsWith('.RawExtension')

/** Where a schema may also be something else: the OpenAPI document does not tell what (apiextensions/v1). */
const SCHEMA_ALTERNATIVES = /\.JSONSchemaPropsOr(Bool|Array|StringArray)$/

/** A schema, or what else stands in its place. */
function compileAlternatives(node: Building, other: string, name: string): void {
  node.type = 'schema'
  node.merging = 'granular'
  node.goType = other
  node.element = compileSchema(name.slice(0, name.lastIndexOf('Or')))
}

const ZEROS: Partial<Record<NodeType, () => unknown>> = {
  string: () => '',
  integer: () => 0,
  number: () => 0,
  boolean: () => false,
  object: () => ({}),
  map: () => ({}),
  array: () => [],
  quantity: () => '0',
  'int-or-string': () => 0,
  bytes: () => '',
}

function typeOf(schema: Schema): NodeType {
  if (schema.intOrString || schema.format === 'int-or-string') return 'int-or-string'
  switch (schema.type) {
    case 'object':
      if (schema.properties) return 'object'
      if (typeof schema.additionalProperties === 'object') return 'map'
      return 'any'
    case 'array':
      return schema.items ? 'array' : 'any'
    case 'string':
      if (schema.format === 'quantity') return 'quantity'
      if (schema.format === 'date-time') return 'time'
      return schema.format === 'byte' ? 'bytes' : 'string'
    case 'integer':
    case 'number':
    case 'boolean':
      return schema.type
    default:
      return schema.properties ? 'object' : 'any'
  }
}

function compileObject(node: Building, schema: Schema, name: string): void {
  const fields = new Map<string, SchemaNode>()
  node.fields = fields
  node.goType = name.split('.').slice(-2).join('.')
  node.open = schema.preserveUnknown === true || schema.additionalProperties === true
  node.merging = schema.mapType === 'atomic' ? 'atomic' : 'granular'
  const { zeros = {}, pointers = [], types = {}, embedded = {} } = goFields(name)
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const field = compileField(property)
    fields.set(key, types[key] && property.ref === undefined ? named(field, types[key]) : field)
  }
  node.embedded = embedded
  node.typed = name.startsWith('io.k8s.')
  node.zeros = Object.entries(zeros)
  node.pointers = pointers.length ? new Set(pointers) : NO_NAMES
  if (!schema.embeddedResource) return
  for (const key of ['apiVersion', 'kind']) if (!fields.has(key)) fields.set(key, compileField({ type: 'string' }))
  if (!fields.has('metadata')) fields.set('metadata', compileSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'))
}

/** A field whose type has a name in Go, or is a list or map of such. */
function named(field: SchemaNode, goType: string): SchemaNode {
  const inner = /^(?:\[\]|map\[[^\]]+\])(.+)$/.exec(goType)?.[1]
  return { ...field, goType, ...(inner && { element: { ...field.element, goType: inner } }) }
}

/** Whether Go shows a field of an object as null where nothing was said. We leave it out. */
export function isNullZero({ zeros }: SchemaNode, key: string): boolean {
  for (const [shown, zero] of zeros) if (shown === key) return zero === null
  return false
}

/** The zero of a field: a new object with all that it always shows, or a plain value. */
export function madeZero(node: SchemaNode, zero: unknown): unknown {
  if (typeof zero !== 'object' || zero === null) return zero
  const said = node.zeros.filter(([, inner]) => inner !== null)
  return Object.fromEntries(said.map(([key, inner]) => [key, madeZero(node.fields.get(key)!, inner)]))
}

/** Fills, in place, what objects of built-in types always show; `nulls`: what they show as null, too. */
export function fillZeros(node: SchemaNode, value: unknown, nulls = false): void {
  if (typeof value !== 'object' || value === null) return
  if (node.type === 'array' && Array.isArray(value)) for (const item of value) fillZeros(node.element, item, nulls)
  if (node.type === 'map') for (const item of Object.values(value)) fillZeros(node.element, item, nulls)
  if (node.type !== 'object') return
  const object = value as Record<string, unknown>
  for (const key in object) {
    const field = node.fields.get(key)
    if (field) fillZeros(field, object[key], nulls)
  }
  for (const [key, zero] of node.zeros)
    if ((nulls || zero !== null) && object[key] === undefined) object[key] = madeZero(node.fields.get(key)!, zero)
}

/** A reference beside which nothing stands shares its node; patch and list rules stand on the field's own schema. */
const compileField = (schema: Schema): SchemaNode => compileSchema(schema)

function compileMap(node: Building, schema: Schema): void {
  node.element = compileSchema(schema.additionalProperties as Schema)
  node.goType = `map[string]${node.element.goType}`
  node.merging = schema.mapType === 'atomic' ? 'atomic' : 'granular'
}

function compileArray(node: Building, schema: Schema): void {
  const items = schema.items!
  node.element = compileSchema(items)
  node.goType = `[]${node.element.goType}`
  node.merging = schema.listType ?? 'atomic'
  if (node.merging !== 'map') return
  const properties = (items.ref === undefined ? items : definition(items.ref))?.properties ?? {}
  const defaults: Record<string, unknown> = {}
  for (const key of node.keys) {
    const value = properties[key]?.default ?? (items.ref === undefined ? undefined : builtInDefault(items.ref, key))
    if (value !== undefined) defaults[key] = value
  }
  node.keyDefaults = defaults
}

/** The OpenAPI document does not tell the defaults of built-in kinds; these are all that keys may be without. */
function builtInDefault(ref: string, key: string): unknown {
  if (key === 'protocol') return 'TCP'
  return key === 'name' && ref.endsWith('.LocalObjectReference') ? '' : undefined
}
