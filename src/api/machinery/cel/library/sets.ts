import { fn, type Library, overload } from '../declarations.ts'
import { BOOL, listOf, typeParam } from '../types.ts'
import { type CelList, equal, mapKey, sizeForCost, type Value } from '../values.ts'

const T = typeParam('T')
const TWO = [listOf(T), listOf(T)]

/** Tells quickly whether a list has an element. */
function finder(list: CelList): (item: Value) => boolean {
  const keys = new Set<unknown>()
  const others: Value[] = []
  for (const item of list) {
    const key = mapKey(item)
    if (key === undefined) others.push(item)
    else keys.add(key)
  }
  return item => {
    const key = mapKey(item)
    return key === undefined ? others.some(other => equal(other, item)) : keys.has(key)
  }
}

function contains(list: CelList, part: CelList): boolean {
  const has = finder(list)
  for (const item of part) if (!has(item)) return false
  return true
}

function intersects(left: CelList, right: CelList): boolean {
  const has = finder(left)
  for (const item of right) if (has(item)) return true
  return false
}

const equivalent = (left: CelList, right: CelList) => contains(left, right) && contains(right, left)

/** Comparing every element with every other. */
const pairs = (factor: number) => (args: readonly Value[]) =>
  Math.ceil(sizeForCost(args[0] as Value) * sizeForCost(args[1] as Value) * factor) + 1

/** CEL's extension for lists seen as sets. */
export const SETS: Library = [
  fn('sets.contains', overload('list_sets_contains_list', TWO, BOOL, contains, pairs(1))),
  fn('sets.equivalent', overload('list_sets_equivalent_list', TWO, BOOL, equivalent, pairs(2))),
  fn('sets.intersects', overload('list_sets_intersects_list', TWO, BOOL, intersects, pairs(1))),
]
