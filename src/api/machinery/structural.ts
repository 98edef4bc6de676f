/**
 * Objects against their structural schemas: mistyped and unknown fields, in one pass and in the words of Kubernetes'
 * decoders. Schemas are compiled to a tree of nodes once, and a clean object is walked without building any text.
 *
 * Null means absent, as for Go's decoder: fields that are null are deleted, nulls in lists and maps become the zero
 * value. So do empty lists and maps that nobody asks for, as Go's encoder leaves them out. With `nulls: 'check'` (custom resources) they are mistyped unless the schema says `nullable`.
 */
import { definition } from '../generated/schemas.ts'
import type { FieldError } from './field-error.ts'
import { required, typeInvalid } from './field-error.ts'
import { jsonType } from './go-text.ts'
import type { Kind } from './kind.ts'
import { canonicalQuantity, quantityProblem } from './quantity.ts'
import type { Schema } from './schema.ts'
import type { SchemaNode } from './schema-node.ts'
import { compileSchema, isNullZero, madeZero } from './schema-node.ts'
import { badRequest, type StatusError } from './status-error.ts'
import { parseTime, rfc3339, rfc3339Micro } from './time.ts'

export interface StructuralError {
  readonly kind: 'type' | 'required'
  /** Path of the field, e.g. `spec.containers[0].name`. */
  readonly field: string
  /** In the decoder's words: `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`. */
  readonly message: string
  /** The same as a validation error, which is how custom resources report it. */
  readonly fieldError: FieldError
}

/** Where an empty list or map stood. `shown`: Go's encoder shows null where it is not there, so it was left standing. */
export interface Empty {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly value: unknown
  readonly shown: boolean
}

export interface StructuralResult {
  readonly errors: readonly StructuralError[]
  /** Paths of unknown fields, e.g. `spec.foo`. */
  readonly unknown: readonly string[]
  /** Lists and maps that are said to be empty: to Go's rules that is another thing than none. */
  readonly empties: readonly Empty[]
}

export interface StructuralOptions {
  /** Report missing required fields too. Default false: written rules do it. */
  readonly required?: boolean
  /** Default `drop`. */
  readonly nulls?: 'drop' | 'check'
  /** A part of an object: what it does not say is not filled in, and what it says stays as it is said. */
  readonly partial?: boolean
}

type Json = Record<string, unknown>

const CLEAN: StructuralResult = Object.freeze({
  errors: Object.freeze([]),
  unknown: Object.freeze([]),
  empties: Object.freeze([]),
})
/** As many as Kubernetes reports. */
const MAX_UNKNOWN = 100

/** The schema of that name, or the schema itself with its `ref` followed. Throws for a name that does not exist. */
export function resolveSchema(schema: Schema | string): Schema {
  let current = typeof schema === 'string' ? { ref: schema } : schema
  while (current.ref !== undefined) {
    const found = definition(current.ref)
    if (!found) throw new Error(`no definition ${JSON.stringify(current.ref)} among the generated schemas`)
    current = found
  }
  return current
}

/** The schema of a kind's objects. */
export const schemaOf = (kind: Pick<Kind, 'schema'>): Schema => resolveSchema(kind.schema)

/** One walk over one object. */
interface Walk {
  readonly root: SchemaNode
  readonly required: boolean
  readonly checkNulls: boolean
  /** Values stay as they are said. */
  readonly asSaid: boolean
  /** Fields, indices and keys from the root to where the walk is. */
  readonly steps: (string | number)[]
  readonly errors: StructuralError[]
  readonly unknown: string[]
  readonly empties: Empty[]
}

/**
 * Finds mistyped and unknown fields. Drops nulls from the object in place (see above), changes nothing else.
 */
export function checkStructure(
  object: unknown,
  schema: Schema | string,
  options: StructuralOptions = {},
): StructuralResult {
  const root = compileSchema(schema)
  const walk: Walk = {
    root,
    required: options.required === true,
    checkNulls: options.nulls === 'check',
    asSaid: options.nulls === 'check' || options.partial === true,
    steps: [],
    errors: [],
    unknown: [],
    empties: [],
  }
  check(walk, root, object)
  const { errors, unknown, empties } = walk
  return errors.length || unknown.length || empties.length ? { errors, unknown, empties } : CLEAN
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function check(walk: Walk, node: SchemaNode, value: unknown): void {
  switch (node.type) {
    case 'any':
      return
    case 'string':
      if (typeof value !== 'string') mistyped(walk, value)
      return
    case 'integer':
      if (!Number.isInteger(value) || (value as number) > node.max || (value as number) < node.min)
        mistyped(walk, value)
      return
    case 'boolean':
      if (typeof value !== 'boolean') mistyped(walk, value)
      return
    case 'number':
      if (typeof value !== 'number') mistyped(walk, value)
      return
    case 'object':
      if (isObject(value)) checkObject(walk, node, value)
      else mistyped(walk, value)
      return
    case 'map':
      if (isObject(value)) checkMap(walk, node, value)
      else mistyped(walk, value)
      return
    case 'array':
      if (Array.isArray(value)) checkArray(walk, node, value)
      else mistyped(walk, value)
      return
    case 'schema':
      checkSchema(walk, node, value)
      return
    default:
      checkText(walk, node, value)
  }
}

/**
 * A schema, or a boolean, or a list of schemas, as the field has it. Anything else counts as nothing, or is refused.
 * What is unknown below is dropped and nothing said, as by Go's decoder where a type decodes itself.
 */
function checkSchema(walk: Walk, node: SchemaNode, value: unknown): void {
  const known = walk.unknown.length
  checkAlternative(walk, node, value)
  if (walk.unknown.length > known) prune(node, value, '', [])
  walk.unknown.length = known
}

function checkAlternative(walk: Walk, node: SchemaNode, value: unknown): void {
  if (isObject(value)) check(walk, node.element, value)
  else if (node.goType === 'Bool' && typeof value !== 'boolean') {
    malformed(walk, value, 'boolean or JSON schema expected')
  } else if (node.goType === 'Array' && Array.isArray(value)) {
    value.forEach((each, index) => {
      walk.steps.push(index)
      check(walk, node.element, each)
      walk.steps.pop()
    })
  }
}

function checkObject(walk: Walk, node: SchemaNode, value: Json): void {
  const { fields } = node
  for (const key in value) {
    const child = fields.get(key)
    if (child === undefined) {
      if (!node.open && walk.unknown.length < MAX_UNKNOWN) {
        walk.steps.push(key)
        walk.unknown.push(pathOf(walk))
        walk.steps.pop()
      }
      continue
    }
    const inner = value[key]
    if (inner === null && child.type !== 'any' && !child.nullable) {
      if (!walk.checkNulls) {
        delete value[key]
        continue
      }
    } else if (inner === null) continue
    if (!walk.asSaid && isZero(child, inner)) {
      const leftOut = isLeftOut(node, key)
      if (isEmpty(inner) && (leftOut || isNullZero(node, key))) noteEmpty(walk, value, key, !leftOut)
      // An empty list of managedFields says that all of them are to be forgotten.
      if (leftOut && key !== 'managedFields') delete value[key]
      if (leftOut) continue
    }
    if (child.type === 'string' && typeof inner === 'string') continue
    if (child.type === 'quantity' || child.type === 'time' || (child.type === 'bytes' && Array.isArray(inner))) {
      checkCanonical(walk, child, value, key)
      continue
    }
    walk.steps.push(key)
    check(walk, child, inner)
    walk.steps.pop()
  }
  if (!walk.asSaid) {
    for (const [key, zero] of node.zeros) {
      if (zero !== null && value[key] === undefined) value[key] = madeZero(fields.get(key)!, zero)
    }
  }
  if (walk.required) {
    for (const key of node.required) if (value[key] === undefined) missing(walk, key)
  }
}

/** Deletes, in place, the empty lists and maps that `checkStructure` would tell of. */
export function dropEmpties(value: unknown, node: SchemaNode): void {
  if (node.type === 'array' && Array.isArray(value)) for (const item of value) dropEmpties(item, node.element)
  if (!isObject(value)) return
  if (node.type === 'map') for (const key in value) dropEmpties(value[key], node.element)
  if (node.type !== 'object') return
  for (const key in value) {
    const child = node.fields.get(key)
    if (!child) continue
    const counts = child.type === 'array' || child.type === 'map'
    if (counts && isEmpty(value[key]) && (isLeftOut(node, key) || isNullZero(node, key))) delete value[key]
    else dropEmpties(value[key], child)
  }
}

function noteEmpty(walk: Walk, holder: Json, key: string, shown: boolean): void {
  if (key !== 'managedFields') walk.empties.push({ holder, key, value: holder[key], shown })
}

/** The zero of a type whose zeros Go's encoder may leave out. */
function isZero({ type }: SchemaNode, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'bytes':
      return value === ''
    case 'integer':
    case 'number':
      return value === 0
    case 'boolean':
      return value === false
    case 'array':
      return Array.isArray(value) && value.length === 0
    case 'map':
      return !Array.isArray(value) && isEmpty(value)
    default:
      return false
  }
}

/** Whether a zero of this field is not shown. Outside of built-in kinds only empty lists and maps are not. */
function isLeftOut(node: SchemaNode, key: string): boolean {
  if (!node.typed) return !node.required.includes(key)
  if (node.pointers.has(key)) return false
  for (const [shown] of node.zeros) if (shown === key) return false
  return true
}

/** Checks an amount, a time or a list of bytes, and writes it in its canonical form. */
function checkCanonical(walk: Walk, node: SchemaNode, parent: Json, key: string): void {
  const value = parent[key]
  const before = walk.errors.length
  walk.steps.push(key)
  check(walk, node, value)
  walk.steps.pop()
  if (walk.errors.length > before || walk.asSaid) return
  if (node.type === 'quantity') parent[key] = canonicalQuantity(value as string | number)
  else if (Array.isArray(value)) setValue(parent, key, Buffer.from(value.map(Number)).toString('base64'))
  else if (typeof value === 'string' && !CANONICAL_TIME.test(value)) {
    const ms = parseTime(value)!
    parent[key] = node.goType === 'v1.MicroTime' ? rfc3339Micro(ms) : rfc3339(ms)
  } else if (typeof value === 'string' && node.goType === 'v1.MicroTime' && value.length === 20) {
    parent[key] = `${value.slice(0, -1)}.000000Z`
  }
}

const CANONICAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}

function checkMap(walk: Walk, node: SchemaNode, value: Json): void {
  const { element } = node
  if (element.type === 'any') return
  const texts = element.type === 'string'
  for (const key in value) {
    const inner = value[key]
    if (texts && typeof inner === 'string') continue
    if (inner === null && (element.nullable || !walk.checkNulls)) {
      if (!element.nullable) setValue(value, key, walk.asSaid ? element.zero() : madeZero(element, element.zero()))
      continue
    }
    if (element.type === 'quantity' || (element.type === 'bytes' && Array.isArray(inner))) {
      checkCanonical(walk, element, value, key)
      continue
    }
    walk.steps.push(key)
    check(walk, element, inner)
    walk.steps.pop()
  }
}

function checkArray(walk: Walk, node: SchemaNode, value: unknown[]): void {
  const { element } = node
  if (element.type === 'any') return
  for (let i = 0; i < value.length; i++) {
    if (value[i] === null && (element.nullable || !walk.checkNulls)) {
      if (!element.nullable) value[i] = walk.asSaid ? element.zero() : madeZero(element, element.zero())
      continue
    }
    walk.steps.push(i)
    check(walk, element, value[i])
    walk.steps.pop()
  }
}

function setValue(target: Json, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Types that decode from a text in a form of their own. */
function checkText(walk: Walk, node: SchemaNode, value: unknown): void {
  if (node.type === 'int-or-string') {
    if (typeof value !== 'string' && !Number.isInteger(value)) mistyped(walk, value)
  } else if (node.type === 'quantity') {
    const problem =
      typeof value === 'string' || typeof value === 'number'
        ? quantityProblem(value)
        : "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    if (problem !== undefined) malformed(walk, value, problem)
  } else if (node.type === 'bytes' && Array.isArray(value) && !walk.asSaid) checkBytes(walk, value)
  else if (typeof value !== 'string') mistyped(walk, value)
  else if (node.type === 'time') {
    const problem = node.goType === 'v1.MicroTime' ? microTimeProblem(value) : timeProblem(value)
    if (problem !== undefined) malformed(walk, value, problem)
  } else if (node.type === 'bytes' && !BASE64.test(value)) {
    const at = value.search(/[^A-Za-z0-9+/]/)
    malformed(walk, value, `illegal base64 data at input byte ${at < 0 ? value.length : at}`)
  }
}

/** Bytes may be said as numbers, one by one. */
function checkBytes(walk: Walk, list: readonly unknown[]): void {
  list.forEach((each, index) => {
    if (each === null || (Number.isInteger(each) && (each as number) >= 0 && (each as number) <= 255)) return
    walk.steps.push(index)
    mistyped(walk, each)
    walk.steps.pop()
  })
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A time to the microsecond has exactly six digits of a second's fraction. */
function microTimeProblem(value: string): string | undefined {
  const layout = '2006-01-02T15:04:05.000000Z07:00'
  const [, rest = ''] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(.*)$/s.exec(value) ?? []
  if (!rest || parseTime(value) === undefined) return timeProblem(value, layout)
  const [, fraction = '', after = ''] = /^([.,]\d{0,6})?(.*)$/s.exec(rest) ?? []
  const wrong = fraction.length < 7 ? [rest, '.000000'] : /^\d/.test(after) ? [after, 'Z07:00'] : undefined
  return wrong && cannotParse(value, layout, wrong[0]!, wrong[1]!)
}

const cannotParse = (value: string, layout: string, rest: string, as: string) =>
  `parsing time ${JSON.stringify(value)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(as)}`

function timeProblem(value: string, layout = '2006-01-02T15:04:05Z07:00'): string | undefined {
  return parseTime(value) === undefined ? cannotParse(value, layout, value, '2006') : undefined
}

/** The path to where the walk is: fields with dots, indices in brackets. */
function pathOf({ steps }: Walk): string {
  let path = ''
  for (const step of steps) path += typeof step === 'number' ? `[${step}]` : path ? `.${step}` : step
  return path
}

/** The struct, the path of its fields and the type that the value should have been decoded into. */
function goField(walk: Walk, value: unknown): { struct: string; field: string; type: string } {
  let node = walk.root
  let struct = ''
  const fields: string[] = []
  for (const step of walk.steps) {
    if (node.type === 'schema' && typeof step === 'string') node = node.element
    if (node.type === 'object') {
      struct = node.goType.slice(node.goType.indexOf('.') + 1)
      const inside = node.embedded[step]
      fields.push(inside ? `${inside}.${step}` : String(step))
      node = node.fields.get(String(step)) ?? node
    } else node = node.element
  }
  return { struct, field: fields.join('.'), type: goTypeOf(node, value, walk.steps.at(-1)) }
}

/** Some types decode themselves, from what they are in JSON. */
function goTypeOf(node: SchemaNode, value: unknown, step: string | number | undefined): string {
  if (node.type === 'time') return 'string'
  if (node.type === 'bytes' && typeof step === 'number') return 'uint8'
  return node.type === 'int-or-string' && typeof value !== 'string' ? 'int32' : node.goType
}

function mistyped(walk: Walk, value: unknown): void {
  const { struct, field, type } = goField(walk, value)
  const what = typeof value === 'number' && /^u?int\d*$/.test(type) ? `number ${value}` : jsonType(value)
  const where = field ? `Go struct field ${struct}.${field}` : 'Go value'
  report(walk, value, `json: cannot unmarshal ${what} into ${where} of type ${type}`)
}

function malformed(walk: Walk, value: unknown, message: string): void {
  report(walk, value, message)
}

function report(walk: Walk, value: unknown, message: string): void {
  const field = pathOf(walk)
  let node = walk.root
  for (const step of walk.steps) {
    if (node.type === 'schema' && typeof step === 'string') node = node.element
    node = (node.type === 'object' ? node.fields.get(String(step)) : node.element) ?? node
  }
  const shown = typeof value === 'object' && value !== null ? jsonType(value) : value
  const detail = `${field} in body must be of type ${node.openApiType}: ${JSON.stringify(describeOpenApi(value))}`
  walk.errors.push({ kind: 'type', field, message, fieldError: typeInvalid(field, shown, detail) })
}

function describeOpenApi(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return Array.isArray(value) || value === null ? jsonType(value) : typeof value
}

function missing(walk: Walk, key: string): void {
  walk.steps.push(key)
  const field = pathOf(walk)
  walk.steps.pop()
  const fieldError = required(field)
  walk.errors.push({ kind: 'required', field, message: `${field}: ${fieldError.message}`, fieldError })
}

/** Deletes, in place, the fields that the schema does not know. Returns their paths. */
export function pruneUnknown(object: unknown, schema: Schema | string): string[] {
  const pruned: string[] = []
  prune(compileSchema(schema), object, '', pruned)
  return pruned
}

function prune(node: SchemaNode, value: unknown, path: string, pruned: string[]): void {
  if (node.type === 'schema') {
    for (const each of Array.isArray(value) ? value : [value]) prune(node.element, each, path, pruned)
    return
  }
  if (node.type === 'array' && Array.isArray(value)) {
    value.forEach((item, i) => {
      prune(node.element, item, `${path}[${i}]`, pruned)
    })
  } else if (node.type === 'map' && isObject(value)) {
    for (const key in value) prune(node.element, value[key], path ? `${path}.${key}` : key, pruned)
  } else if (node.type === 'object' && isObject(value)) {
    for (const key of Object.keys(value)) {
      const child = node.fields.get(key)
      const at = path ? `${path}.${key}` : key
      if (child) prune(child, value[key], at, pruned)
      else if (!node.open) {
        delete value[key]
        pruned.push(at)
      }
    }
  }
}

/** 400 for an object that cannot be decoded: `Deployment in version "v1" cannot be handled as a Deployment: …`. */
export function decodeError(kind: Pick<Kind, 'kind' | 'version'>, message: string): StatusError {
  return badRequest(
    `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${message}`,
  )
}

/** As much of a body as errors repeat, in bytes. */
const BODY_SHOWN = 30

/**
 * 400 for a body that is no object at all: `the object provided is unrecognized (must be of type Pod): …`. `message` as
 * parseJson throws it; the start of the body is shown, in hexadecimal where it does not begin like JSON.
 */
export function unrecognized(kind: Pick<Kind, 'kind'>, message: string, body: Uint8Array): StatusError {
  const start = Buffer.from(body.subarray(0, BODY_SHOWN))
  const text = start[0] === 0x7b ? start.toString() : start.toString('hex')
  const shown = body.length === 0 ? '<empty>' : `${text}${body.length > BODY_SHOWN ? ' ...' : ''}`
  return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${message} (${shown})`)
}

/** Of YAML the line is told, not the path: `line 3: key "a" already set in map`. */
const isLine = (duplicate: string) => /^line \d+: key /.test(duplicate)

/** What strict field validation says; undefined where there is nothing to say. */
export function strictMessage(unknown: readonly string[], duplicates: readonly string[]): string | undefined {
  const lines = duplicates.filter(isLine)
  const yaml = lines.length ? [`yaml: unmarshal errors:\n  ${lines.join('\n  ')}`] : []
  const fields = duplicates.filter(each => !isLine(each))
  const all = [...yaml, ...strictProblems(unknown, fields)]
  return all.length ? `strict decoding error: ${all.join(', ')}` : undefined
}

/** One text per unknown and duplicate field, as they stand in warnings. */
export function strictProblems(unknown: readonly string[], duplicates: readonly string[]): string[] {
  return [
    ...unknown.map(field => `unknown field ${JSON.stringify(field)}`),
    ...duplicates.map(each => (isLine(each) ? each : `duplicate field ${JSON.stringify(each)}`)),
  ]
}
