/**
 * A map whose keys can be walked in order. Sorting is put off until someone walks: writes cost what a Map costs, and
 * a walk after writes merges the new keys in.
 */
export interface SortedMap<V> {
  readonly size: number
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  /** Keys in order of UTF-16 units (byte order for ASCII). Not to be changed; valid until the next write. */
  keys(): readonly string[]
}

/** Makes an empty one. */
export function sortedMap<V>(): SortedMap<V> {
  const entries = new Map<string, V>()
  let sorted: string[] = []
  let added: string[] = []
  let removed = false

  function merge() {
    // A key may be in both lists after it was deleted and set again, or stand in one of them after its deletion.
    const fresh = [...new Set(added)].sort()
    const result: string[] = []
    let at = 0
    for (const key of sorted) {
      while (at < fresh.length && fresh[at]! < key) pushLive(fresh[at++]!)
      if (fresh[at] === key) at++
      pushLive(key)
    }
    while (at < fresh.length) pushLive(fresh[at++]!)
    function pushLive(key: string) {
      if (!removed || entries.has(key)) result.push(key)
    }
    sorted = result
    added = []
    removed = false
  }

  return {
    get size() {
      return entries.size
    },
    get: key => entries.get(key),
    set(key, value) {
      if (!entries.has(key)) added.push(key)
      entries.set(key, value)
    },
    delete(key) {
      if (entries.delete(key)) removed = true
    },
    keys() {
      if (added.length || removed) merge()
      return sorted
    },
  }
}
