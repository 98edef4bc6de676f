import type { FunctionDecl, Library, Overload } from '../declarations.ts'
import { fn, method, overload } from '../declarations.ts'
import { CelError, fail } from '../errors.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  INT,
  listOf,
  mapOf,
  STRING,
  TIMESTAMP,
  typeParam,
  UINT,
} from '../types.ts'
import {
  CelList,
  CelMap,
  compareBytes,
  compareNumbers,
  compareStrings,
  Duration,
  equal,
  int64,
  isNumeric,
  sizeForCost,
  Timestamp,
  typeName,
  Uint,
  uint64,
  type Value,
} from '../values.ts'
import { checkLength } from '../work.ts'
import { concatenated } from './joined-list.ts'
import { durationInRange, timestampInRange } from './time-range.ts'

const A = typeParam('A')
const B = typeParam('B')
const LIST = listOf(A)
const MAP = mapOf(A, B)
const NO_OVERLOAD = 'no such overload'

/** Which types have an operation at all: the error about others names the operation. */
const ORDERED_TYPES = kinds('bool bytes double google.protobuf.Duration int string google.protobuf.Timestamp uint')
const NUMERIC = kinds('double int uint')
const CAPABLE: Readonly<Record<string, ReadonlySet<string>>> = {
  '_+_': kinds('bytes double google.protobuf.Duration int list string google.protobuf.Timestamp uint'),
  '_-_': kinds('double google.protobuf.Duration int google.protobuf.Timestamp uint'),
  '_*_': NUMERIC,
  '_/_': NUMERIC,
  '_%_': kinds('int uint'),
  '-_': kinds('double int google.protobuf.Duration'),
  '_<_': ORDERED_TYPES,
  '_<=_': ORDERED_TYPES,
  '_>_': ORDERED_TYPES,
  '_>=_': ORDERED_TYPES,
  size: kinds('bytes list map string'),
}

function kinds(names: string): ReadonlySet<string> {
  return new Set(names.split(' '))
}

/** `left + right`. */
function add(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left + right)
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (typeof left === 'string' && typeof right === 'string') {
    checkLength(left.length + right.length)
    return left + right
  }
  if (left instanceof CelList && right instanceof CelList) return concatenated(left, right)
  if (left instanceof Uint && right instanceof Uint) return uint64(left.value + right.value)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return new Uint8Array([...left, ...right])
  return addTimes(left, right)
}

function addTimes(left: Value, right: Value): Value {
  if (left instanceof Duration && right instanceof Duration) return durationInRange(left.nanos + right.nanos)
  if (left instanceof Duration && right instanceof Timestamp)
    return timestampInRange(left.nanos + right.nanos, right.offset)
  if (left instanceof Timestamp && right instanceof Duration)
    return timestampInRange(left.nanos + right.nanos, left.offset)
  return fail(NO_OVERLOAD)
}

/** `left - right`. */
function subtract(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left - right)
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (left instanceof Uint && right instanceof Uint) return uint64(left.value - right.value)
  if (left instanceof Duration && right instanceof Duration) return durationInRange(left.nanos - right.nanos)
  if (left instanceof Timestamp && right instanceof Duration)
    return timestampInRange(left.nanos - right.nanos, left.offset)
  if (left instanceof Timestamp && right instanceof Timestamp) return durationInRange(left.nanos - right.nanos)
  return fail(NO_OVERLOAD)
}

function multiply(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left * right)
  if (typeof left === 'number' && typeof right === 'number') return left * right
  if (left instanceof Uint && right instanceof Uint) return uint64(left.value * right.value)
  return fail(NO_OVERLOAD)
}

function divide(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint')
    return right === 0n ? fail('division by zero') : int64(left / right)
  if (typeof left === 'number' && typeof right === 'number') return left / right
  if (left instanceof Uint && right instanceof Uint)
    return right.value === 0n ? fail('division by zero') : new Uint(left.value / right.value)
  return fail(NO_OVERLOAD)
}

function modulo(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (right === 0n) return fail('modulus by zero')
    return right === -1n && left === -(2n ** 63n) ? fail('integer overflow') : left % right
  }
  if (left instanceof Uint && right instanceof Uint)
    return right.value === 0n ? fail('modulus by zero') : new Uint(left.value % right.value)
  return fail(NO_OVERLOAD)
}

function negate(value: Value): Value {
  if (typeof value === 'bigint') return int64(-value)
  return typeof value === 'number' ? -value : fail(NO_OVERLOAD)
}

/** -1, 0 or 1; NaN where one of two numbers is none. Fails where there is no order between the types. */
export function compare(left: Value, right: Value): number {
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right)
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right)
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  if (left instanceof Timestamp && right instanceof Timestamp) return sign(left.nanos - right.nanos)
  if (left instanceof Duration && right instanceof Duration) return sign(left.nanos - right.nanos)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right)
  return fail(NO_OVERLOAD)
}

const sign = (difference: bigint) => (difference < 0n ? -1 : difference > 0n ? 1 : 0)

/** As an operator `<`: two numbers of which one is NaN have no order. */
function ordered(left: Value, right: Value): number {
  const order = compare(left, right)
  return Number.isNaN(order) ? fail('NaN values cannot be ordered') : order
}

function isIn(value: Value, container: Value): boolean {
  if (container instanceof CelMap) return container.find(value) !== undefined
  if (!(container instanceof CelList)) return fail(NO_OVERLOAD)
  for (let at = 0; at < container.size; at++) if (equal(value, container.at(at))) return true
  return false
}

function size(value: Value): Value {
  const sized =
    typeof value === 'string' || value instanceof CelList || value instanceof CelMap || value instanceof Uint8Array
  return sized ? BigInt(sizeForCost(value)) : fail(NO_OVERLOAD)
}

/** An operator with one implementation for all its signatures. */
function operator(name: string, call: (...args: never[]) => Value, overloads: Overload[]): FunctionDecl {
  const capable = CAPABLE[name]
  if (capable === undefined) return { name, overloads, call }
  const run = call as unknown as (...args: Value[]) => Value
  const explained = (left: Value, right: Value): Value => {
    try {
      return run(left, right)
    } catch (error) {
      if (!(error instanceof CelError) || error.message !== NO_OVERLOAD || capable.has(typeName(left))) throw error
      throw new CelError(`${NO_OVERLOAD}: ${name}`)
    }
  }
  return { name, overloads, call: explained as never }
}

const arithmetic = (word: string, types: readonly (readonly [string, CelType])[]) =>
  types.map(([suffix, type]) => overload(`${word}_${suffix}`, [type, type], type))

const NUMBERS: readonly (readonly [string, CelType])[] = [
  ['double', DOUBLE],
  ['int64', INT],
  ['uint64', UINT],
]

const ORDERED: readonly (readonly [string, CelType, CelType])[] = [
  ['bool', BOOL, BOOL],
  ['int64', INT, INT],
  ['int64_double', INT, DOUBLE],
  ['int64_uint64', INT, UINT],
  ['uint64', UINT, UINT],
  ['uint64_double', UINT, DOUBLE],
  ['uint64_int64', UINT, INT],
  ['double', DOUBLE, DOUBLE],
  ['double_int64', DOUBLE, INT],
  ['double_uint64', DOUBLE, UINT],
  ['string', STRING, STRING],
  ['bytes', BYTES, BYTES],
  ['timestamp', TIMESTAMP, TIMESTAMP],
  ['duration', DURATION, DURATION],
]

const relation = (name: string, word: string, holds: (order: number) => boolean) =>
  operator(
    name,
    (left: Value, right: Value) => holds(ordered(left, right)),
    ORDERED.map(([suffix, left, right]) => overload(`${word}_${suffix}`, [left, right], BOOL)),
  )

const SIZED: readonly (readonly [string, CelType])[] = [
  ['bytes', BYTES],
  ['list', LIST],
  ['map', MAP],
  ['string', STRING],
]

/** The operators of the language and `size`. */
export const OPERATORS: Library = [
  fn('_?_:_', overload('conditional', [BOOL, A, A], A)),
  fn('_&&_', overload('logical_and', [BOOL, BOOL], BOOL)),
  fn('_||_', overload('logical_or', [BOOL, BOOL], BOOL)),
  fn('!_', overload('logical_not', [BOOL], BOOL)),
  fn('@not_strictly_false', overload('not_strictly_false', [BOOL], BOOL)),
  fn('_==_', overload('equals', [A, A], BOOL)),
  fn('_!=_', overload('not_equals', [A, A], BOOL)),
  operator('_+_', add, [
    overload('add_bytes', [BYTES, BYTES], BYTES),
    overload('add_double', [DOUBLE, DOUBLE], DOUBLE),
    overload('add_duration_duration', [DURATION, DURATION], DURATION),
    overload('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP),
    overload('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP),
    overload('add_int64', [INT, INT], INT),
    overload('add_list', [LIST, LIST], LIST),
    overload('add_string', [STRING, STRING], STRING),
    overload('add_uint64', [UINT, UINT], UINT),
  ]),
  operator('_/_', divide, arithmetic('divide', NUMBERS)),
  operator('_%_', modulo, arithmetic('modulo', NUMBERS.slice(1))),
  operator('_*_', multiply, arithmetic('multiply', NUMBERS)),
  operator('-_', negate, [overload('negate_double', [DOUBLE], DOUBLE), overload('negate_int64', [INT], INT)]),
  operator('_-_', subtract, [
    overload('subtract_double', [DOUBLE, DOUBLE], DOUBLE),
    overload('subtract_duration_duration', [DURATION, DURATION], DURATION),
    overload('subtract_int64', [INT, INT], INT),
    overload('subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP),
    overload('subtract_timestamp_timestamp', [TIMESTAMP, TIMESTAMP], DURATION),
    overload('subtract_uint64', [UINT, UINT], UINT),
  ]),
  relation('_<_', 'less', order => order < 0),
  relation('_<=_', 'less_equals', order => order <= 0),
  relation('_>_', 'greater', order => order > 0),
  relation('_>=_', 'greater_equals', order => order >= 0),
  fn('_[_]', overload('index_list', [LIST, INT], A), overload('index_map', [MAP, A], B)),
  operator('@in', isIn, [overload('in_list', [A, LIST], BOOL), overload('in_map', [A, MAP], BOOL)]),
  operator('size', size, [
    ...SIZED.map(([name, type]) => overload(`size_${name}`, [type], INT)),
    ...SIZED.map(([name, type]) => method(`${name}_size`, [type], INT)),
  ]),
]
