import type { Schema } from '../schema.ts'
import { CelError, fail } from './errors.ts'
import { escapeField, unescapeField } from './field-names.ts'
import { type Convert, JsonList, JsonMap, type JsonObject, jsonValue } from './json-value.ts'
import { parseDuration } from './library/duration-text.ts'
import { parseTimestamp, zoneOf } from './library/timestamp-text.ts'
import { KeyedList, SetList } from './schema-lists.ts'
import type { ResolveRef } from './schema-type.ts'
import { Duration, Timestamp, type Value } from './values.ts'

const converters = new WeakMap<Schema, Convert>()
const NO_REFS: ResolveRef = () => undefined

/**
 * Makes CEL values of the JSON values of a schema: integers are ints, date-times timestamps, and so on. Objects and
 * lists are wrapped, not copied; their parts are made when an expression reaches them. Keep the converter: it is made
 * once for a schema. Conversion throws a `CelError` where the JSON is not what the schema says.
 */
export function schemaValue(schema: Schema, resolve: ResolveRef = NO_REFS): Convert {
  const known = converters.get(schema)
  if (known !== undefined) return known
  const made = makeConverter(schema, resolve)
  const convert: Convert = json => (json === null ? nullValue(schema) : made(json))
  converters.set(schema, convert)
  return convert
}

const nullValue = (schema: Schema): Value =>
  schema.nullable ? null : fail('invalid data, got null for schema with nullable=false')

function makeConverter(schema: Schema, resolve: ResolveRef): Convert {
  if (schema.ref !== undefined) {
    const target = resolve(schema.ref)
    return target === undefined ? jsonValue : json => schemaValue(target, resolve)(json)
  }
  if (schema.intOrString || schema.format === 'int-or-string') return intOrString
  switch (schema.type) {
    case 'object':
      return objectConverter(schema, resolve)
    case 'array':
      return arrayConverter(schema, resolve)
    case 'string':
      return stringConverter(schema.format)
    case 'number':
      return json => (typeof json === 'number' ? json : fail(`invalid data, expected float, got ${goType(json)}`))
    case 'integer':
      return json =>
        Number.isInteger(json) ? BigInt(json as number) : fail(`invalid data, expected int, got ${goType(json)}`)
    case 'boolean':
      return json => (typeof json === 'boolean' ? json : fail(`invalid data, expected bool, got ${goType(json)}`))
    default:
      return jsonValue
  }
}

function intOrString(json: unknown): Value {
  if (typeof json === 'string') return json
  if (Number.isInteger(json)) return BigInt(json as number)
  return fail('invalid data, expected XIntOrString value to be either a string or integer')
}

function goType(json: unknown): string {
  if (typeof json === 'number') return Number.isInteger(json) ? 'int64' : 'float64'
  if (typeof json === 'boolean') return 'bool'
  if (typeof json === 'string') return 'string'
  return Array.isArray(json) ? '[]interface {}' : 'map[string]interface {}'
}

const TEXT = new TextEncoder()

function stringConverter(format: string | undefined): Convert {
  const parse = STRING_FORMATS[format ?? '']
  if (parse === undefined) return json => (typeof json === 'string' ? json : notAString(json))
  return json => (typeof json === 'string' ? parse(json) : notAString(json))
}

const notAString = (json: unknown): Value => fail(`invalid data, expected string, got ${goType(json)}`)

const STRING_FORMATS: Readonly<Record<string, (text: string) => Value>> = {
  'date-time': text => timestamp(text, text, 'date-time'),
  date: text => timestamp(text, `${text}T00:00:00Z`, 'date'),
  duration: text => {
    const nanos = parseDuration(text) ?? parseWords(text)
    return nanos === undefined ? fail(`Invalid duration ${text}`) : new Duration(nanos)
  },
  byte: text => decodeBase64(text),
}

function timestamp(text: string, full: string, format: string): Value {
  const nanos = parseTimestamp(full)
  return nanos === undefined ? fail(`Invalid ${format} formatted string ${text}`) : new Timestamp(nanos, zoneOf(full))
}

const WORD_UNITS: readonly (readonly [RegExp, bigint])[] = [
  [/^(\d+)\s*(?:w|weeks?)$/, 604_800_000_000_000n],
  [/^(\d+)\s*(?:d|days?)$/, 86_400_000_000_000n],
  [/^(\d+)\s*(?:h|hrs?|hours?)$/, 3_600_000_000_000n],
  [/^(\d+)\s*(?:m|mins?|minutes?)$/, 60_000_000_000n],
  [/^(\d+)\s*(?:s|secs?|seconds?)$/, 1_000_000_000n],
  [/^(\d+)\s*(?:ms|millis?|milliseconds?)$/, 1_000_000n],
]

/** `3 days`, which the format `duration` knows too. */
function parseWords(text: string): bigint | undefined {
  for (const [pattern, unit] of WORD_UNITS) {
    const match = pattern.exec(text)
    if (match) return BigInt(match[1] as string) * unit
  }
  return undefined
}

function decodeBase64(text: string): Uint8Array {
  try {
    const binary = atob(text)
    return Uint8Array.from(binary, character => character.charCodeAt(0))
  } catch {
    return fail(`Invalid byte formatted string ${text}`)
  }
}

/** How many bytes a text takes in UTF-8. */
export const byteLength = (text: string): number => TEXT.encode(text).length

function objectConverter(schema: Schema, resolve: ResolveRef): Convert {
  const { additionalProperties, properties } = schema
  if (typeof additionalProperties === 'object' && properties === undefined) {
    const value = schemaValue(additionalProperties, resolve)
    return json => new JsonMap(asObject(json), value)
  }
  return json => new SchemaObject(asObject(json), schema, resolve)
}

function asObject(json: unknown): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject
  return fail('invalid data, expected a map for the provided schema with type=object')
}

/** An object of a schema. Fields are named in their escaped form; what the schema does not know is not there. */
export class SchemaObject extends JsonMap {
  readonly schema: Schema
  readonly #resolve: ResolveRef

  constructor(json: JsonObject, schema: Schema, resolve: ResolveRef) {
    super(json, jsonValue)
    this.schema = schema
    this.#resolve = resolve
  }

  override field(name: string): Value | undefined {
    const property = unescapeField(name)
    if (property === undefined) return undefined
    const json = this.json[property]
    if (json === undefined || json === null || !Object.hasOwn(this.json, property)) return undefined
    const schema = this.schema.properties?.[property] ?? this.#implied(property)
    return schema === undefined ? undefined : schemaValue(schema, this.#resolve)(json)
  }

  override has(name: string): boolean {
    return this.field(name) !== undefined
  }

  override *keys(): Iterable<Value> {
    for (const property of Object.keys(this.json)) {
      if (this.schema.properties?.[property] !== undefined) yield escapeField(property) ?? property
    }
  }

  /** `apiVersion`, `kind` and `metadata` of a resource whose schema does not spell them out. */
  #implied(property: string): Schema | undefined {
    return IMPLIED[property]
  }
}

const IMPLIED: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
}

function arrayConverter(schema: Schema, resolve: ResolveRef): Convert {
  const item = schema.items === undefined ? jsonValue : schemaValue(schema.items, resolve)
  const keys = schema.listMapKeys ?? []
  return json => {
    if (!Array.isArray(json)) return fail('invalid data, expected an array for the provided schema with type=array')
    if (schema.listType === 'set') return new SetList(json, item)
    if (schema.listType === 'map' && keys.length > 0) return new KeyedList(json, item, keys)
    return new JsonList(json, item)
  }
}

/** Runs a conversion; an error of it is an error value for the caller to report. */
export function converted(convert: Convert, json: unknown): Value | CelError {
  try {
    return convert(json)
  } catch (error) {
    if (error instanceof CelError) return error
    throw error
  }
}
