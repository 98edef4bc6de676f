/** How often something may be done: so many at once, and then so many a second. */
export interface Budget {
  /** False when it is used up. */
  spend(): boolean
}

/** Makes a full one. `elapsed` tells the time in ms. */
export function createBudget(burst: number, perSecond: number, elapsed: () => number): Budget {
  let left = burst
  let since = elapsed()
  return {
    spend() {
      if (--left >= 0) return true
      const now = elapsed()
      left = Math.min(burst, Math.floor(((now - since) / 1000) * perSecond)) - 1
      since = now
      return left >= 0
    },
  }
}
