import { type Convert, JsonList, type JsonObject } from './json-value.ts'
import type { OwnConcatenation } from './library/joined-list.ts'
import { ArrayList, CelList, CelMap, equal, mapKey, type OwnEquality, type Value } from './values.ts'

/** A list of which the schema says that it is a set: order does not matter to `==`, and `+` is the union. */
export class SetList extends JsonList implements OwnEquality, OwnConcatenation {
  equalTo(other: Value): boolean {
    if (!(other instanceof CelList) || other.size !== this.size) return false
    const keys = new Set([...this].map(keyOf))
    return [...other].every(item => keys.has(keyOf(item)))
  }

  plus(other: CelList): CelList {
    const keys = new Set([...this].map(keyOf))
    return new ArrayList([...this, ...[...other].filter(item => !keys.has(keyOf(item)))])
  }
}

/** Elements of sets are scalars; anything else is its own key. */
const keyOf = (value: Value): unknown => mapKey(value) ?? value

/** A list whose elements have keys: order does not matter to `==`, and `+` replaces elements of the same key. */
export class KeyedList extends JsonList implements OwnEquality, OwnConcatenation {
  readonly #keys: readonly string[]

  constructor(json: readonly unknown[], convert: Convert, keys: readonly string[]) {
    super(json, convert)
    this.#keys = keys
  }

  equalTo(other: Value): boolean {
    if (!(other instanceof CelList) || other.size !== this.size) return false
    const mine = new Map([...this].map(item => [this.#keyOf(item), item]))
    for (const item of other) {
      const same = mine.get(this.#keyOf(item))
      if (same === undefined || !equal(same, item)) return false
    }
    return true
  }

  plus(other: CelList): CelList {
    const merged = new Map([...this].map(item => [this.#keyOf(item), item]))
    for (const item of other) merged.set(this.#keyOf(item), item)
    return new ArrayList([...merged.values()])
  }

  #keyOf(item: Value): string {
    const json = (item as { json?: JsonObject }).json
    const values = this.#keys.map(key => json?.[key] ?? made(item, key))
    return JSON.stringify(values)
  }
}

/** The key of an object that an expression has made. */
function made(item: Value, key: string): unknown {
  const value = item instanceof CelMap ? item.field(key) : undefined
  return typeof value === 'bigint' ? Number(value) : (value ?? null)
}
