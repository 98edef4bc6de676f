/** Writes that nobody waits for one by one: how many there are, and the end of them all. */
export interface UnderWay {
  count(): number
  /** Follows one to its end; `onError` gets what it failed with. */
  follow(work: Promise<void>, onError: (error: unknown) => void): void
  /** Resolves when every one has ended. */
  ended(): Promise<void>
}

/** Makes an empty set. `onEnd` is called after each. */
export function createUnderWay(onEnd: () => void): UnderWay {
  const all = new Set<Promise<void>>()
  return {
    count: () => all.size,
    follow(work, onError) {
      const done = work.catch(onError).finally(() => {
        all.delete(done)
        onEnd()
      })
      all.add(done)
    },
    async ended() {
      await Promise.all(all)
    },
  }
}
