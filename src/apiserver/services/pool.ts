/** Numbered things that services take: addresses and ports. Who holds one is kept, so that nobody frees another's. */
export interface Pool<K> {
  /** Takes a given number for `owner`; `held` when it has it already, `refused` when another has. */
  take(number: K, owner: string): 'taken' | 'held' | 'refused'
  /** Takes a free number; undefined when there is none. */
  takeNext(owner: string): K | undefined
  /** Gives a number back, when `owner` holds it. */
  release(number: K, owner: string): void
  contains(number: K): boolean
}

export interface PoolRange<K> {
  readonly first: K
  /** How many numbers there are. */
  readonly size: number
  /** The number so many places after the first. */
  at(offset: number): K
  /**
   * So many at the beginning are for those who name their number; the others are taken from these only when the rest
   * is used up (KEP-3070, KEP-3668).
   */
  readonly staticSize: number
  /** Never given to who names none. */
  readonly reserved?: ReadonlySet<K>
}

/** So many numbers are looked at, at most: of what is larger, chance never meets the end. */
const SEARCHED = 2 ** 40

/**
 * Makes a pool. `random` (0 to 1) picks where the search for a free number begins. Pools whose ranges may overlap share
 * `owners`.
 */
export function createPool<K extends number | bigint>(
  range: PoolRange<K>,
  random: () => number,
  owners = new Map<K, string>(),
): Pool<K> {
  const { first, size, at, reserved } = range
  const last = at(size - 1)
  const staticSize = Math.min(range.staticSize, size)

  function search(from: number, all: number): K | undefined {
    const count = Math.min(all, SEARCHED)
    const start = Math.floor(random() * count)
    for (let step = 0; step < count; step++) {
      const number = at(from + ((start + step) % count))
      if (!owners.has(number) && !reserved?.has(number)) return number
    }
    return undefined
  }

  return {
    contains: number => number >= first && number <= last,
    take(number, owner) {
      const holder = owners.get(number)
      if (holder !== undefined) return holder === owner ? 'held' : 'refused'
      owners.set(number, owner)
      return 'taken'
    },
    takeNext(owner) {
      const number = search(staticSize, size - staticSize) ?? search(0, staticSize)
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
  size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), most)
