import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, STRING, typeParam } from '../types.ts'
import { ArrayList, CelList, CelMap, Duration, Optional, sizeForCost, Uint, type Value } from '../values.ts'

const K = typeParam('K')
const V = typeParam('V')
const SOME = optionalOf(V)
const LIST = listOf(V)
const MAP = mapOf(K, V)

const value = (optional: Optional): Value => optional.value ?? absent(optional)
const absent = (optional: Optional): Value =>
  optional.value === undefined ? fail('optional.none() dereference') : optional.value

function isZero(of: Value): boolean {
  if (of === null || of === false || of === 0n || of === 0 || of === '') return true
  if (of instanceof Uint) return of.value === 0n
  if (of instanceof Duration) return of.nanos === 0n
  if (of instanceof Optional) return of.value === undefined
  return (of instanceof CelList || of instanceof CelMap || of instanceof Uint8Array) && sizeForCost(of) === 0
}

const at = (list: CelList, index: number): Value =>
  list.size === 0 ? Optional.none : new Optional(list.at(index < 0 ? list.size - 1 : index))

function unwrap(list: CelList): CelList {
  const items: Value[] = []
  for (const item of list) {
    if (!(item instanceof Optional)) return fail(`value ${String(item)} is not optional`)
    if (item.value !== undefined) items.push(item.value)
  }
  return new ArrayList(items)
}

/** Optional values: `optional.of`, `.?field`, `[?key]`, `orValue`, … The planner knows the selections by itself. */
export const OPTIONALS: Library = [
  fn(
    'optional.of',
    overload('optional_of', [V], SOME, (of: Value) => new Optional(of)),
  ),
  fn(
    'optional.ofNonZeroValue',
    overload('optional_ofNonZeroValue', [V], SOME, (of: Value) => (isZero(of) ? Optional.none : new Optional(of))),
  ),
  fn(
    'optional.none',
    overload('optional_none', [], SOME, () => Optional.none),
  ),
  fn('value', method('optional_value', [SOME], V, value)),
  fn(
    'hasValue',
    method('optional_hasValue', [SOME], BOOL, (optional: Optional) => optional.value !== undefined),
  ),
  fn('or', method('optional_or_optional', [SOME, SOME], SOME)),
  fn('orValue', method('optional_orValue_value', [SOME, V], V)),
  fn('_?._', overload('select_optional_field', [DYN, STRING], SOME)),
  fn(
    '_[?_]',
    overload('list_optindex_optional_int', [LIST, INT], SOME),
    overload('optional_list_optindex_optional_int', [optionalOf(LIST), INT], SOME),
    overload('map_optindex_optional_value', [MAP, K], SOME),
    overload('optional_map_optindex_optional_value', [optionalOf(MAP), K], SOME),
  ),
  fn(
    '_[_]',
    overload('optional_list_index_int', [optionalOf(LIST), INT], SOME),
    overload('optional_map_index_value', [optionalOf(MAP), K], SOME),
  ),
  fn(
    'first',
    method('list_first', [LIST], SOME, (list: CelList) => at(list, 0)),
  ),
  fn(
    'last',
    method('list_last', [LIST], SOME, (list: CelList) => at(list, -1)),
  ),
  fn('optional.unwrap', overload('optional_unwrap', [listOf(SOME)], LIST, unwrap)),
  fn('unwrapOpt', method('optional_unwrapOpt', [listOf(SOME)], LIST, unwrap)),
]
