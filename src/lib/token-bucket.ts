/** Token buckets: how fast something may go on, and how often it may happen at once after a pause. */

export interface Rate {
  /** A new token comes after this time, ms. */
  readonly everyMs: number
  /** As many as there are after a pause. */
  readonly burst: number
}

export interface TokenBucket {
  /** Takes a token; false where there is none. `now`: ms since any moment, the same for all calls. */
  take(now: number): boolean
  /** Takes a token that may be yet to come. Returns how long that takes, in ms. */
  borrow(now: number): number
}

/** Makes a full bucket. */
export function tokenBucket({ everyMs, burst }: Rate, now: number): TokenBucket {
  let [tokens, at] = [burst, now]
  function fill(now: number) {
    tokens = Math.min(burst, tokens + (now - at) / everyMs)
    at = now
  }
  return {
    take(now) {
      fill(now)
      const taken = tokens >= 1
      if (taken) tokens--
      return taken
    },
    borrow(now) {
      fill(now)
      tokens--
      return Math.max(0, -tokens * everyMs)
    },
  }
}

/** A bucket for each key; of more than `most` keys, those used longest ago are forgotten. Takes a token of one. */
export function bucketsByKey(rate: Rate, most: number): (key: string, now: number) => boolean {
  const buckets = new Map<string, TokenBucket>()
  return (key, now) => {
    const bucket = buckets.get(key) ?? tokenBucket(rate, now)
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > most) buckets.delete(buckets.keys().next().value!)
    return bucket.take(now)
  }
}
