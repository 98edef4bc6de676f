import type { Kind } from '../../api/machinery/kind.ts'

/** What was made of lists of kinds, kept until one of their kinds comes, goes or changes. */
export interface Kept<T> {
  /** What stands under the key, where it was made of the very same kinds; else it is made. */
  get(key: string, kinds: readonly Kind[], make: () => T): T
  /** Forgets every key that `has` does not know. */
  retain(has: (key: string) => boolean): void
}

export function keptByKinds<T>(): Kept<T> {
  const kept = new Map<string, { readonly kinds: readonly Kind[]; readonly value: T }>()
  return {
    get(key, kinds, make) {
      const known = kept.get(key)
      if (known?.kinds.length === kinds.length && known.kinds.every((kind, at) => kind === kinds[at]))
        return known.value
      const value = make()
      kept.set(key, { kinds, value })
      return value
    },
    retain(has) {
      for (const key of kept.keys()) if (!has(key)) kept.delete(key)
    },
  }
}
