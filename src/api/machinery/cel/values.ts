import { fail } from './errors.ts'
import type { CelType } from './types.ts'
import { work } from './work.ts'

/**
 * The values of CEL: int is a bigint, double a number, bytes a Uint8Array; null, booleans and strings are
 * JavaScript's own. Everything else is a class of this file or an {@link Opaque} of a function library.
 */
export type Value =
  | bigint
  | boolean
  | CelList
  | CelMap
  | Duration
  | null
  | number
  | Opaque
  | Optional
  | string
  | Timestamp
  | TypeValue
  | Uint
  | Uint8Array

/** An unsigned 64-bit integer. */
export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** A moment, in nanoseconds since 1970; `offset` is the zone that it was written in, in seconds from UTC. */
export class Timestamp {
  readonly nanos: bigint
  readonly offset: number
  constructor(nanos: bigint, offset = 0) {
    this.nanos = nanos
    this.offset = offset
  }
}

/** A length of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A type as a value, as `type(x)` gives it. */
export class TypeValue {
  readonly type: CelType
  constructor(type: CelType) {
    this.type = type
  }
}

/** A value that may be absent. */
export class Optional {
  static readonly none = new Optional(undefined)
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

/** A value of a function library: `net.IP`, `kubernetes.Quantity`, … */
export abstract class Opaque {
  abstract readonly typeName: string
  abstract equals(other: Opaque): boolean
  /** What it counts as when the cost of a call depends on its size. */
  get size(): number {
    return 1
  }
  /** The value for people. */
  text(): string | undefined {
    return undefined
  }
}

/** A list. Elements may be made when they are asked for. */
export abstract class CelList {
  abstract readonly size: number
  /** The element at an index that is known to be inside. */
  abstract at(index: number): Value
  *[Symbol.iterator](): IterableIterator<Value> {
    for (let index = 0; index < this.size; index++) yield this.at(index)
  }
}

/** A list of values that exist. */
export class ArrayList extends CelList {
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
  get size(): number {
    return this.items.length
  }
  at(index: number): Value {
    return this.items[index] as Value
  }
}

/** A map. Values may be made when they are asked for. */
export abstract class CelMap {
  abstract readonly size: number
  abstract find(key: Value): Value | undefined
  abstract keys(): Iterable<Value>
  /** The value of a key that is a string: what `map.field` means. */
  field(name: string): Value | undefined {
    return this.find(name)
  }
  /** Whether `has(map.field)` holds. */
  has(name: string): boolean {
    return this.field(name) !== undefined
  }
}

/** A map of values that exist. */
export class EntryMap extends CelMap {
  readonly #entries: Map<unknown, readonly [Value, Value]>
  constructor(entries: Map<unknown, readonly [Value, Value]>) {
    super()
    this.#entries = entries
  }
  static of(entries: Iterable<readonly [Value, Value]>): EntryMap {
    return new EntryMap(filed(entries))
  }
  get size(): number {
    return this.#entries.size
  }
  find(key: Value): Value | undefined {
    return this.#entries.get(mapKey(key))?.[1]
  }
  *keys(): Iterable<Value> {
    for (const [key] of this.#entries.values()) yield key
  }
}

function filed(entries: Iterable<readonly [Value, Value]>): Map<unknown, readonly [Value, Value]> {
  const map = new Map<unknown, readonly [Value, Value]>()
  for (const entry of entries) map.set(mapKey(entry[0]), entry)
  return map
}

/** A map that a loop makes: nothing else has it until the loop is done, and so it grows where it is. */
export class GrowingMap extends EntryMap {
  readonly #entries: Map<unknown, readonly [Value, Value]>
  private constructor(entries: Map<unknown, readonly [Value, Value]>) {
    super(entries)
    this.#entries = entries
  }
  static override of(entries: Iterable<readonly [Value, Value]>): GrowingMap {
    return new GrowingMap(filed(entries))
  }
  add(key: Value, value: Value): void {
    this.#entries.set(mapKey(key), [key, value])
  }
}

/** What a map files a key under: numbers of all three types that are equal meet at one key. */
export function mapKey(key: Value): unknown {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof Uint) return key.value
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key
  return undefined
}

/** The name of a value's type: `int`, `google.protobuf.Timestamp`, `net.IP`, … */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
    default:
      return value === null ? 'null_type' : objectTypeName(value)
  }
}

function objectTypeName(value: object): string {
  if (value instanceof CelList) return 'list'
  if (value instanceof CelMap) return 'map'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof TypeValue) return 'type'
  return (value as Opaque).typeName
}

/** Lists whose equality is not that of their order (sets, keyed lists) say so by this. */
export interface OwnEquality {
  equalTo(other: Value): boolean
}

/** `left == right`: numbers by value across their types, lists and maps deeply, other types only among themselves. */
export function equal(left: Value, right: Value): boolean {
  if (left === right) return true
  if (left === null || right === null) return false
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right) === 0
  if (typeof left !== 'object' || typeof right !== 'object') return false
  if (left instanceof CelList) return right instanceof CelList && equalLists(left, right)
  if (left instanceof CelMap) return right instanceof CelMap && equalMaps(left, right)
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanos === right.nanos
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos
  if (left instanceof Uint8Array) return right instanceof Uint8Array && compareBytes(left, right) === 0
  if (left instanceof TypeValue) return right instanceof TypeValue && left.type.name === right.type.name
  if (left instanceof Optional) return right instanceof Optional && equalOptionals(left, right)
  if (left instanceof Opaque) return right instanceof Opaque && left.typeName === right.typeName && left.equals(right)
  return false
}

function equalOptionals(left: Optional, right: Optional): boolean {
  if (left.value === undefined || right.value === undefined) return left.value === right.value
  return equal(left.value, right.value)
}

function equalLists(left: CelList, right: CelList): boolean {
  if ('equalTo' in left) return (left as unknown as OwnEquality).equalTo(right)
  if (left.size !== right.size) return false
  work(left.size)
  for (let index = 0; index < left.size; index++) if (!equal(left.at(index), right.at(index))) return false
  return true
}

function equalMaps(left: CelMap, right: CelMap): boolean {
  if (left.size !== right.size) return false
  work(left.size)
  for (const key of left.keys()) {
    const other = right.find(key)
    if (other === undefined || !equal(left.find(key) as Value, other)) return false
  }
  return true
}

/** Whether the value is an int, a uint or a double. */
export const isNumeric = (value: Value): value is bigint | number | Uint =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint

/**
 * -1, 0 or 1; NaN when one of the two is not a number. Beside a double every number becomes one, so that those above
 * 2^53 may be equal to their neighbours: as Kubernetes has it, where the language asks for exactness.
 */
export function compareNumbers(left: bigint | number | Uint, right: bigint | number | Uint): number {
  let a = left instanceof Uint ? left.value : left
  let b = right instanceof Uint ? right.value : right
  if (typeof a === 'number') b = Number(b)
  else if (typeof b === 'number') a = Number(a)
  if (a < b) return -1
  if (a > b) return 1
  return Number.isNaN(Number(a)) || Number.isNaN(Number(b)) ? Number.NaN : 0
}

/** Order of two byte strings. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index] as number) - (right[index] as number)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return Math.sign(left.length - right.length)
}

/** Order of two strings by code point, which is the order of their UTF-8 bytes. */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  let at = 0
  while (at < length && left.charCodeAt(at) === right.charCodeAt(at)) at++
  if (at === length) return left.length < right.length ? -1 : 1
  const fix = (unit: number) => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)
  return fix(left.charCodeAt(at)) < fix(right.charCodeAt(at)) ? -1 : 1
}

/** Characters of a string as CEL counts them: code points. */
export function stringSize(text: string): number {
  let size = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0xd800 && unit <= 0xdbff && at + 1 < text.length) {
      const next = text.charCodeAt(at + 1)
      if (next >= 0xdc00 && next <= 0xdfff) {
        size--
        at++
      }
    }
  }
  return size
}

/** How big a value counts when the cost of a call depends on it: its `size()`, or 1 when it has none. */
export function sizeForCost(value: Value): number {
  if (typeof value === 'string') return stringSize(value)
  if (typeof value !== 'object' || value === null) return 1
  if (value instanceof CelList || value instanceof CelMap) return value.size
  if (value instanceof Uint8Array) return value.length
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeForCost(value.value)
  return value instanceof Opaque ? value.size : 1
}

const INT_MIN = -(2n ** 63n)
const INT_MAX = 2n ** 63n - 1n
const UINT_MAX = 2n ** 64n - 1n

/** The int, or the error when it does not fit into 64 bits. */
export const int64 = (value: bigint, message = 'integer overflow'): bigint =>
  value >= INT_MIN && value <= INT_MAX ? value : fail(message)

/** The uint, or the error when it does not fit into 64 bits. */
export const uint64 = (value: bigint, message = 'unsigned integer overflow'): Uint =>
  value >= 0n && value <= UINT_MAX ? new Uint(value) : fail(message)
