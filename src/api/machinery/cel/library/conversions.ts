import { fn, type Library, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  opaque,
  STRING,
  TIMESTAMP,
  TYPE,
  typeOfType,
  typeParam,
  UINT,
} from '../types.ts'
import { Duration, Timestamp, TypeValue, typeName, Uint, uint64, type Value } from '../values.ts'
import { parseDuration } from './duration-text.ts'
import { formatDouble } from './number-text.ts'
import { FIRST_SECOND, LAST_SECOND, timestampInRange } from './time-range.ts'
import { formatDuration, formatTimestamp, parseTimestamp, zoneOf } from './timestamp-text.ts'

const A = typeParam('A')
const identity = (value: Value): Value => value

/** The types that every expression may name. */
export const STANDARD_TYPES: ReadonlyMap<string, CelType> = new Map(
  [BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, TYPE, UINT, listOf(DYN), mapOf(DYN, DYN)].map(type => [
    type.name,
    type,
  ]),
)

function toBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  return conversionError('bool')
}

const BOUND = 2 ** 63

function doubleToInt(value: number): bigint {
  if (Number.isNaN(value) || value <= -BOUND || value >= BOUND) return fail('integer overflow')
  return BigInt(Math.trunc(value))
}

function doubleToUint(value: number): Uint {
  if (Number.isNaN(value) || value < 0 || value >= 2 * BOUND) return fail('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}

const conversionError = (to: string): never => fail(`type conversion error from 'string' to '${to}'`)

function stringToInt(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : undefined
  const fits = value !== undefined && value >= -(2n ** 63n) && value < 2n ** 63n
  return fits ? value : conversionError('int')
}

function stringToUint(text: string): Uint {
  const value = /^\d+$/.test(text) ? BigInt(text) : undefined
  return value !== undefined && value < 2n ** 64n ? new Uint(value) : conversionError('uint')
}

const FLOAT = /^[+-]?(?:\d+(?:_?\d)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const SPECIAL = /^[+-]?(?:inf|infinity|nan)$/i

function stringToDouble(text: string): number {
  if (SPECIAL.test(text)) {
    if (/nan/i.test(text)) return Number.NaN
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  const value = FLOAT.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : conversionError('double')
}

function stringToDuration(text: string): Duration {
  const nanos = parseDuration(text)
  return nanos === undefined ? conversionError(DURATION.name) : new Duration(nanos)
}

function stringToTimestamp(text: string): Timestamp {
  const nanos = parseTimestamp(text)
  if (nanos === undefined) return conversionError(TIMESTAMP.name)
  return timestampInRange(nanos, zoneOf(text))
}

function bytesToString(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function opaqueType(value: Value): CelType {
  const name = typeName(value)
  const known = STANDARD_TYPES.get(name)
  if (known !== undefined) return known
  return opaque(name)
}

const seconds = (value: Timestamp): bigint => {
  const whole = value.nanos / 1_000_000_000n
  return value.nanos % 1_000_000_000n < 0n ? whole - 1n : whole
}

function secondsToTimestamp(value: bigint): Timestamp {
  if (value < FIRST_SECOND || value > LAST_SECOND) return fail('timestamp overflow')
  return new Timestamp(value * 1_000_000_000n)
}

/** The functions that turn values of one type into another. */
export const CONVERSIONS: Library = [
  fn(
    'type',
    overload('type', [A], typeOfType(A), (value: Value) => new TypeValue(opaqueType(value))),
  ),
  fn('dyn', overload('to_dyn', [A], DYN, identity)),
  fn('bool', overload('bool_to_bool', [BOOL], BOOL, identity), overload('string_to_bool', [STRING], BOOL, toBool)),
  fn(
    'bytes',
    overload('bytes_to_bytes', [BYTES], BYTES, identity),
    overload('string_to_bytes', [STRING], BYTES, (text: string) => new TextEncoder().encode(text)),
  ),
  fn(
    'double',
    overload('double_to_double', [DOUBLE], DOUBLE, identity),
    overload('int64_to_double', [INT], DOUBLE, (value: bigint) => Number(value)),
    overload('string_to_double', [STRING], DOUBLE, stringToDouble),
    overload('uint64_to_double', [UINT], DOUBLE, (value: Uint) => Number(value.value)),
  ),
  fn(
    'duration',
    overload('duration_to_duration', [DURATION], DURATION, identity),
    overload('int64_to_duration', [INT], DURATION, () =>
      fail(`type conversion error from 'int' to '${DURATION.name}'`),
    ),
    overload('string_to_duration', [STRING], DURATION, stringToDuration),
  ),
  fn(
    'int',
    overload('int64_to_int64', [INT], INT, identity),
    overload('double_to_int64', [DOUBLE], INT, doubleToInt),
    overload('duration_to_int64', [DURATION], INT, (value: Duration) => value.nanos),
    overload('string_to_int64', [STRING], INT, stringToInt),
    overload('timestamp_to_int64', [TIMESTAMP], INT, seconds),
    overload('uint64_to_int64', [UINT], INT, (value: Uint) =>
      value.value < 2n ** 63n ? value.value : fail('integer overflow'),
    ),
  ),
  fn(
    'string',
    overload('string_to_string', [STRING], STRING, identity),
    overload('bool_to_string', [BOOL], STRING, String),
    overload('bytes_to_string', [BYTES], STRING, bytesToString),
    overload('double_to_string', [DOUBLE], STRING, formatDouble),
    overload('duration_to_string', [DURATION], STRING, (value: Duration) => formatDuration(value.nanos)),
    overload('int64_to_string', [INT], STRING, String),
    overload('timestamp_to_string', [TIMESTAMP], STRING, (value: Timestamp) =>
      formatTimestamp(value.nanos, value.offset),
    ),
    overload('uint64_to_string', [UINT], STRING, (value: Uint) => String(value.value)),
  ),
  fn(
    'timestamp',
    overload('timestamp_to_timestamp', [TIMESTAMP], TIMESTAMP, identity),
    overload('int64_to_timestamp', [INT], TIMESTAMP, secondsToTimestamp),
    overload('string_to_timestamp', [STRING], TIMESTAMP, stringToTimestamp),
  ),
  fn(
    'uint',
    overload('uint64_to_uint64', [UINT], UINT, identity),
    overload('double_to_uint64', [DOUBLE], UINT, doubleToUint),
    overload('int64_to_uint64', [INT], UINT, (value: bigint) => uint64(value)),
    overload('string_to_uint64', [STRING], UINT, stringToUint),
  ),
]
