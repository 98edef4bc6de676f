/**
 * A queue between one writer and one reader, with back-pressure: `push` resolves when the reader has caught up. What
 * connects a connection's frames to whoever reads one of its streams.
 */
export interface Pipe<T> extends AsyncIterable<T> {
  /** Hands over an item; resolves when less than the limit is waiting. Ignored after the end. */
  push(item: T): Promise<void>
  /** The reader sees what is waiting, then the end. */
  end(): void
  /** The reader stops reading: what waits is dropped and nothing further is kept. */
  cancel(): void
  readonly ended: boolean
}

const READY = Promise.resolve()

/** Makes a pipe that holds about `limit` before `push` waits; `size` of an item defaults to its length, or 1. */
export function createPipe<T>(limit: number, size = sizeOf): Pipe<T> {
  let items: T[] = []
  let waiting = 0
  let ended = false
  let cancelled = false
  let wakeReader: (() => void) | undefined
  let writers: (() => void)[] = []

  const freeWriters = () => {
    const free = writers
    writers = []
    for (const resolve of free) resolve()
  }
  const end = () => {
    ended = true
    wakeReader?.()
  }
  const cancel = () => {
    cancelled = true
    items = []
    end()
    freeWriters()
  }

  async function* read(): AsyncGenerator<T, void> {
    try {
      for (;;) {
        while (items.length > 0) {
          const item = items.shift()!
          waiting -= size(item)
          if (waiting < limit) freeWriters()
          yield item
        }
        if (ended) return
        await new Promise<void>(resolve => {
          wakeReader = resolve
        })
        wakeReader = undefined
      }
    } finally {
      cancel()
    }
  }

  return {
    push(item) {
      if (ended || cancelled) return READY
      items.push(item)
      waiting += size(item)
      wakeReader?.()
      return waiting < limit ? READY : new Promise(resolve => writers.push(resolve))
    },
    end,
    cancel,
    get ended() {
      return ended
    },
    [Symbol.asyncIterator]: read,
  }
}

const sizeOf = (item: unknown) => (item as { length?: number }).length ?? 1
