/** Lets at most `limit` things happen at once; the others wait in order. */
export interface Limiter {
  /** Runs `work` when there is room for it. */
  run<T>(work: () => Promise<T>): Promise<T>
}

/** Makes a limiter. */
export function createLimiter(limit: number): Limiter {
  let running = 0
  const waiting: (() => void)[] = []
  return {
    async run(work) {
      if (running >= limit) await new Promise<void>(resolve => waiting.push(resolve))
      else running++
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running--
      }
    },
  }
}
