import { CelList, CelMap, type Value } from './values.ts'

/**
 * A JSON value as CEL sees it without a schema: whole numbers are ints, others doubles, objects maps. Nothing is
 * copied; parts are wrapped when an expression reaches them.
 */
export function jsonValue(json: unknown): Value {
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json
    case 'number':
      return Number.isSafeInteger(json) ? BigInt(json) : json
    case 'bigint':
      return json
    case 'object':
      if (json === null) return null
      return Array.isArray(json) ? new JsonList(json, jsonValue) : new JsonMap(json as JsonObject, jsonValue)
    default:
      return null
  }
}

/** An object as it comes out of `JSON.parse`. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Makes a CEL value of a JSON value of one schema. */
export type Convert = (json: unknown) => Value

/** A JSON array seen as a list. */
export class JsonList extends CelList {
  readonly json: readonly unknown[]
  protected readonly convert: Convert

  constructor(json: readonly unknown[], convert: Convert) {
    super()
    this.json = json
    this.convert = convert
  }
  get size(): number {
    return this.json.length
  }
  at(index: number): Value {
    return this.convert(this.json[index])
  }
}

/** A JSON object seen as a map of strings. */
export class JsonMap extends CelMap {
  readonly json: JsonObject
  protected readonly convert: Convert
  #size = -1

  constructor(json: JsonObject, convert: Convert) {
    super()
    this.json = json
    this.convert = convert
  }
  get size(): number {
    if (this.#size < 0) this.#size = Object.keys(this.json).length
    return this.#size
  }
  find(key: Value): Value | undefined {
    return typeof key === 'string' ? this.field(key) : undefined
  }
  override field(name: string): Value | undefined {
    const json = this.json[name]
    if (json === undefined || !Object.hasOwn(this.json, name)) return undefined
    return this.convert(json)
  }
  override has(name: string): boolean {
    return Object.hasOwn(this.json, name)
  }
  keys(): Iterable<Value> {
    return Object.keys(this.json)
  }
}
