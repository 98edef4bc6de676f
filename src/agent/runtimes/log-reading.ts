/** What all readers of containers' logs have in common (API doc: core/v1 PodLogOptions). */
import type { LogOptions } from '../../client/node-api.ts'

export interface ReadDeps {
  /** ms since the epoch. */
  readonly now: number
  /** The container may write more. */
  running(): boolean
  /** Calls back when `running` may have changed; returns a function that ends it. */
  onEnd(fn: () => void): () => void
  readonly signal: AbortSignal
}

/** From when on lines are asked for, in ms since the epoch; undefined: from the beginning. */
export const sinceOf = ({ sinceSeconds, sinceTime }: LogOptions, now: number): number | undefined =>
  sinceSeconds !== undefined ? now - sinceSeconds * 1000 : sinceTime !== undefined ? Date.parse(sinceTime) : undefined

/**
 * Resolves when there may be more, when the container ended, or when the reader went away. `onGrow` calls back when the
 * log has grown, and returns a function that ends that; `isMore` tells what came before.
 */
export function news(
  { running, onEnd, signal }: Omit<ReadDeps, 'now'>,
  onGrow: (fn: () => void) => () => void,
  isMore: () => boolean,
): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      offGrow()
      offEnd()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const offGrow = onGrow(done)
    const offEnd = onEnd(done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted || !running() || isMore()) done()
  })
}

/** The first `bytes` of what comes; all of it where no number is given. */
export async function* limited(pieces: AsyncIterable<Uint8Array>, bytes?: number): AsyncGenerator<Uint8Array> {
  let left = bytes ?? Number.POSITIVE_INFINITY
  for await (const piece of pieces) {
    yield piece.subarray(0, Math.min(piece.length, left))
    left -= piece.length
    if (left <= 0) return
  }
}
