/** Maps that are told on by what changes in them: to another thread, which keeps the same. Pure. */

import { equalJson } from '../lib/json.ts'

/** Keys with what they stand for now; undefined: nothing any more. */
export type Entries<T> = readonly (readonly [key: string, value: T | undefined])[]

/** Puts changes into a map. */
export function merge<T>(map: Map<string, T>, entries: Entries<T>): void {
  for (const [key, value] of entries) {
    if (value === undefined) map.delete(key)
    else map.set(key, value)
  }
}

/** Makes what tells how a map differs from the one before. Values are plain data. */
export function differences<T>(): (next: ReadonlyMap<string, T>) => Entries<T> {
  let before: ReadonlyMap<string, T> = new Map()
  return next => {
    const changes: [string, T | undefined][] = []
    for (const [key, value] of next) {
      if (!equalJson(before.get(key), value)) changes.push([key, value])
    }
    for (const key of before.keys()) if (!next.has(key)) changes.push([key, undefined])
    before = next
    return changes
  }
}
