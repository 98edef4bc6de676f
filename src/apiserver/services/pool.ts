/** Numbered things that services take: addresses and ports. Who holds one is kept, so that nobody frees another's. */
export interface Pool {
  /** Takes a given number for `owner`; `held` when it has it already, `refused` when another has. */
  take(number: number, owner: string): 'taken' | 'held' | 'refused'
  /** Takes a free number; undefined when there is none. */
  takeNext(owner: string): number | undefined
  /** Gives a number back, when `owner` holds it. */
  release(number: number, owner: string): void
  contains(number: number): boolean
}

export interface PoolRange {
  readonly first: number
  readonly last: number
  /**
   * So many at the beginning are for those who name their number; the others are taken from these only when the rest
   * is used up (KEP-3070, KEP-3668).
   */
  readonly staticSize: number
  /** Never given to who names none. */
  readonly reserved?: ReadonlySet<number>
}

/**
 * Makes a pool. `random` (0 to 1) picks where the search for a free number begins. Pools whose ranges may overlap share
 * `owners`.
 */
export function createPool(range: PoolRange, random: () => number, owners = new Map<number, string>()): Pool {
  const dynamicFirst = Math.min(range.first + range.staticSize, range.last + 1)

  const search = (first: number, last: number): number | undefined => {
    const size = last - first + 1
    if (size <= 0) return undefined
    const start = Math.floor(random() * size)
    for (let step = 0; step < size; step++) {
      const number = first + ((start + step) % size)
      if (!owners.has(number) && !range.reserved?.has(number)) return number
    }
    return undefined
  }

  return {
    contains: number => number >= range.first && number <= range.last,
    take(number, owner) {
      const holder = owners.get(number)
      if (holder !== undefined) return holder === owner ? 'held' : 'refused'
      owners.set(number, owner)
      return 'taken'
    },
    takeNext(owner) {
      const number = search(dynamicFirst, range.last) ?? search(range.first, dynamicFirst - 1)
      if (number !== undefined) owners.set(number, owner)
      return number
    },
    release(number, owner) {
      if (owners.get(number) === owner) owners.delete(number)
    },
  }
}

/** How much of a range of `size` is for named numbers: a sixteenth, at least 16 and at most `most`. */
export const staticSize = (size: number, most: number, share = 16) =>
  size < 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), most)
