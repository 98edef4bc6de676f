/** Chance as a dependency: a sequence that a seed repeats (DESIGN D10). */
export interface Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  number(): number
  uuid(): string
}

/** mulberry32: small, quick, good enough for scheduling faults; never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  function number(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(number() * 16).toString(16)).join('')
  return {
    number,
    /** Of the form of version 4. */
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(number() * 4)]}${hex(3)}-${hex(12)}`,
  }
}
