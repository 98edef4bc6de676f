/** Waiting longer after each failure, with a ceiling. */

export interface BackOff {
  /** Milliseconds to wait now; doubles with each call. */
  next(): number
  /** It went well: start over. */
  reset(): void
}

/** `base`, 2·base, 4·base … up to `ceiling`, all in ms. */
export function createBackOff(base: number, ceiling: number): BackOff {
  let failures = 0
  return {
    next: () => Math.min(base * 2 ** Math.min(failures++, 30), ceiling),
    reset() {
      failures = 0
    },
  }
}
