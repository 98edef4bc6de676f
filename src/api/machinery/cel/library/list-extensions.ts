import { fn, type Library, method, overload } from '../declarations.ts'
import { CostExceeded, fail } from '../errors.ts'
import { DYN, INT, listOf, mapOf, typeParam } from '../types.ts'
import { ArrayList, CelList, type CelMap, equal, GrowingMap, mapKey, typeName, type Value } from '../values.ts'
import { COMPARABLE } from './comparable.ts'
import { compare } from './operators.ts'

const T = typeParam('T')
const LIST = listOf(T)
/** More elements than this cost more than any expression may. */
const MOST = 10_000_000

function slice(list: CelList, start: bigint, end: bigint): CelList {
  if (start < 0n || end < 0n) return fail(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end) return fail(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (BigInt(list.size) < end) return fail(`cannot slice(${start}, ${end}), list is length ${list.size}`)
  const items: Value[] = []
  for (let at = Number(start); at < Number(end); at++) items.push(list.at(at))
  return new ArrayList(items)
}

function flatten(list: CelList, depth: bigint): CelList {
  if (depth < 0n) return fail('level must be non-negative')
  const items: Value[] = []
  for (const item of list) {
    if (!(item instanceof CelList) || depth === 0n) items.push(item)
    else items.push(...(depth === 1n ? item : flatten(item, depth - 1n)))
  }
  return new ArrayList(items)
}

/** A range of more elements than an expression may cost is not made. */
function range(count: bigint): CelList {
  if (count > MOST) throw new CostExceeded()
  return new ArrayList(Array.from({ length: Math.max(0, Number(count)) }, (_, at) => BigInt(at)))
}

function distinct(list: CelList): CelList {
  const seen = new Set<unknown>()
  const others: Value[] = []
  const items: Value[] = []
  for (const item of list) {
    const key = mapKey(item)
    const known = key === undefined ? others.some(other => equal(other, item)) : seen.has(key)
    if (known) continue
    items.push(item)
    if (key === undefined) others.push(item)
    else seen.add(key)
  }
  return new ArrayList(items)
}

function sortBy(list: CelList, keys: CelList): CelList {
  if (list.size === 0) return list
  const first = typeName(keys.at(0))
  for (const key of keys) if (typeName(key) !== first) return fail('list elements must have the same type')
  const order = Array.from({ length: list.size }, (_, at) => at)
  order.sort((left, right) => compare(keys.at(left), keys.at(right)))
  return new ArrayList(order.map(at => list.at(at)))
}

function insert(map: CelMap, key: Value, value: Value): CelMap {
  if (map.find(key) !== undefined) return fail(`insert failed: key ${String(key)} already exists`)
  const entries = map instanceof GrowingMap ? map : GrowingMap.of(pairs(map))
  entries.add(key, value)
  return entries
}

function insertAll(map: CelMap, more: CelMap): CelMap {
  let result = map
  for (const [key, value] of pairs(more)) result = insert(result, key, value)
  return result
}

const pairs = (map: CelMap): (readonly [Value, Value])[] =>
  [...map.keys()].map(key => [key, map.find(key) as Value] as const)

const K = typeParam('K')
const V = typeParam('V')
const MAP = mapOf(K, V)

/** CEL's own extensions for lists, and what loops over two variables are made of. */
export const LIST_EXTENSIONS: Library = [
  fn('slice', method('list_slice', [LIST, INT, INT], LIST, slice)),
  fn(
    'flatten',
    method('list_flatten', [listOf(LIST)], LIST, (list: CelList) => flatten(list, 1n)),
    method('list_flatten_int', [listOf(DYN), INT], listOf(DYN), flatten),
  ),
  fn(
    'sort',
    ...COMPARABLE.map(([, type]) =>
      method(`list_${type.name}_sort`, [listOf(type)], listOf(type), (list: CelList) => sortBy(list, list)),
    ),
  ),
  fn(
    '@sortByAssociatedKeys',
    ...COMPARABLE.map(([, type]) =>
      method(`list_${type.name}_sortByAssociatedKeys`, [LIST, listOf(type)], LIST, sortBy),
    ),
  ),
  fn('lists.range', overload('lists_range', [INT], listOf(INT), range)),
  fn(
    'reverse',
    method('list_reverse', [LIST], LIST, (list: CelList) => new ArrayList([...list].reverse())),
  ),
  fn('distinct', method('list_distinct', [LIST], LIST, distinct)),
  fn(
    'cel.@mapInsert',
    overload('@mapInsert_map_map', [MAP, MAP], MAP, insertAll),
    overload('@mapInsert_map_key_value', [MAP, K, V], MAP, insert),
  ),
]
