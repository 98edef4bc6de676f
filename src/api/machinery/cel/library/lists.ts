import { fn, type Library, method } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, type CelType, DOUBLE, DURATION, INT, listOf, typeParam, UINT } from '../types.ts'
import { type CelList, Duration, equal, int64, Uint, uint64, type Value } from '../values.ts'
import { COMPARABLE } from './comparable.ts'
import { compare } from './operators.ts'
import { durationInRange } from './time-range.ts'

const A = typeParam('A')

function isSorted(list: CelList): boolean {
  for (let at = 1; at < list.size; at++) if (compare(list.at(at - 1), list.at(at)) > 0) return false
  return true
}

/** The element that none goes before; `sign` is 1 for the smallest and -1 for the biggest. */
const extreme = (name: string, sign: 1 | -1) => (list: CelList) => {
  if (list.size === 0) return fail(`${name} called on empty list`)
  let best = list.at(0)
  for (let at = 1; at < list.size; at++) {
    const item = list.at(at)
    if (compare(best, item) * sign > 0) best = item
  }
  return best
}

const sums: readonly (readonly [string, CelType, (list: CelList) => Value])[] = [
  ['int', INT, list => [...list].reduce<bigint>((total, item) => int64(total + (item as bigint)), 0n)],
  [
    'uint',
    UINT,
    list => [...list].reduce<Uint>((total, item) => uint64(total.value + (item as Uint).value), new Uint(0n)),
  ],
  ['double', DOUBLE, list => [...list].reduce<number>((total, item) => total + (item as number), 0)],
  [
    'duration',
    DURATION,
    list =>
      [...list].reduce<Duration>(
        (total, item) => durationInRange(total.nanos + (item as Duration).nanos),
        new Duration(0n),
      ),
  ],
]

function indexOf(list: CelList, item: Value): bigint {
  for (let at = 0; at < list.size; at++) if (equal(list.at(at), item)) return BigInt(at)
  return -1n
}

function lastIndexOf(list: CelList, item: Value): bigint {
  for (let at = list.size - 1; at >= 0; at--) if (equal(list.at(at), item)) return BigInt(at)
  return -1n
}

/** Kubernetes' functions about lists. */
export const LISTS: Library = [
  fn(
    'isSorted',
    ...COMPARABLE.map(([name, type]) => method(`list_${name}_is_sorted_bool`, [listOf(type)], BOOL, isSorted)),
  ),
  fn('sum', ...sums.map(([name, type, sum]) => method(`list_${name}_sum_${name}`, [listOf(type)], type, sum))),
  fn(
    'max',
    ...COMPARABLE.map(([name, type]) => method(`list_${name}_max_${name}`, [listOf(type)], type, extreme('max', -1))),
  ),
  fn(
    'min',
    ...COMPARABLE.map(([name, type]) => method(`list_${name}_min_${name}`, [listOf(type)], type, extreme('min', 1))),
  ),
  fn('indexOf', method('list_a_index_of_int', [listOf(A), A], INT, indexOf)),
  fn('lastIndexOf', method('list_a_last_index_of_int', [listOf(A), A], INT, lastIndexOf)),
]
