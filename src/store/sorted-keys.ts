/**
 * Strings in order, in chunks that are small enough to be changed by splicing: an insert costs two binary searches and
 * a move within one chunk, at any size. Order is that of UTF-16 units, which is byte order for ASCII.
 */

/** A chunk is halved when it grows beyond this. */
const CHUNK = 512

export interface SortedKeys {
  readonly size: number
  /** False when it was there already. */
  add(key: string): boolean
  /** False when it was not there. */
  delete(key: string): boolean
  /** Calls `visit` with every key that starts with `prefix` and comes after `after`, in order, until it returns false. */
  walk(prefix: string, after: string | undefined, visit: (key: string) => boolean): void
}

/** Index of the first element that is not below `key`; with `beyond`, of the first above it. */
function search(keys: readonly string[], key: string, beyond = false): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key || (beyond && keys[middle] === key)) low = middle + 1
    else high = middle
  }
  return low
}

/** Makes an empty one. */
export function sortedKeys(): SortedKeys {
  const chunks: string[][] = [[]]
  let size = 0

  /** The chunk in which `key` stands or would stand: the first whose last key is not below it, else the last one. */
  function chunkOf(key: string): number {
    let low = 0
    let high = chunks.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (chunks[middle]!.at(-1)! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get size() {
      return size
    },
    add(key) {
      const at = chunkOf(key)
      const chunk = chunks[at]!
      const index = search(chunk, key)
      if (chunk[index] === key) return false
      chunk.splice(index, 0, key)
      if (chunk.length > CHUNK) {
        // Keys that arrive in order leave full chunks behind.
        const cut = index === chunk.length - 1 ? chunk.length - 1 : chunk.length >>> 1
        chunks.splice(at + 1, 0, chunk.splice(cut))
      }
      size++
      return true
    },
    delete(key) {
      const at = chunkOf(key)
      const chunk = chunks[at]!
      const index = search(chunk, key)
      if (chunk[index] !== key) return false
      chunk.splice(index, 1)
      if (chunk.length === 0 && chunks.length > 1) chunks.splice(at, 1)
      size--
      return true
    },
    walk(prefix, after, visit) {
      const skip = after !== undefined && after >= prefix
      const from = skip ? after : prefix
      for (let at = chunkOf(from), first = true; at < chunks.length; at++, first = false) {
        const chunk = chunks[at]!
        for (let index = first ? search(chunk, from, skip) : 0; index < chunk.length; index++) {
          const key = chunk[index]!
          if (!key.startsWith(prefix) || !visit(key)) return
        }
      }
    },
  }
}
