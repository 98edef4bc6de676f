/** Lists and sets of device objects: size first, then every item, then what stands twice. */
import { duplicate, tooMany } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

type CheckItem<T> = (item: T, path: string, errors: Errors) => void

/** Every item, unless there are more than `max`: then only that is said. */
export function checkList<T>(
  list: readonly T[] | undefined,
  max: number,
  item: CheckItem<T>,
  path: string,
  errors: Errors,
): void {
  if (!list) return
  if (list.length > max) errors.push(tooMany(path, list.length, max))
  else for (const [index, one] of list.entries()) item(one, `${path}[${index}]`, errors)
}

/** A list in which `key` tells one item from another. `shown` is what the message about a second one names. */
export function checkSet<T>(
  list: readonly T[] | undefined,
  { max, key, shown = key }: { max: number; key: (item: T) => string; shown?: (item: T) => unknown },
  item: CheckItem<T>,
  path: string,
  errors: Errors,
): void {
  checkList(list, max, item, path, errors)
  if (!list || list.length > max) return
  const seen = new Set<string>()
  for (const [index, one] of list.entries()) {
    if (seen.has(key(one))) errors.push(duplicate(`${path}[${index}]`, shown(one)))
    seen.add(key(one))
  }
}

/** The items are their own keys. */
export const itself = { key: (item: string) => item }
