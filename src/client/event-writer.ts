/**
 * Writes events in the background, one after the other. It never fails: what the API server refuses is dropped, and so
 * is what comes when too many wait.
 */
import { StatusError } from '../api/machinery/status-error.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { hasReason, send } from './client.ts'
import type { Transport } from './transport.ts'

export interface EventWrite {
  /** Of the collection. */
  readonly path: string
  readonly name: string
  /** The whole event. */
  readonly body: Readonly<Record<string, unknown>>
  /** What changed of an event that stands: only this is sent, unless it is gone. */
  readonly patch?: Readonly<Record<string, unknown>> | undefined
  /** It was not written, and will not be. */
  dropped?(): void
}

export interface EventWriter {
  write(write: EventWrite): void
  /** Resolves when everything so far was written or dropped. */
  flushed(): Promise<void>
}

/** Tries per event, and the wait between them, when the API server cannot be reached. */
const TRIES = 12
const RETRY_MS = 10_000
/** Events that may wait; further ones are dropped. */
const PENDING = 1000

/** Makes a writer, which writes until `signal` aborts. */
export function createEventWriter(
  transport: Transport,
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): EventWriter {
  let pending = 0
  let tail: Promise<void> = Promise.resolve()

  async function attempt({ path, name, body, patch }: EventWrite) {
    if (patch) {
      try {
        await send(transport, {
          method: 'PATCH',
          path: `${path}/${encodeURIComponent(name)}`,
          contentType: 'application/strategic-merge-patch+json',
          body: structuredClone(patch),
        })
        return
      } catch (error) {
        // It was deleted (they expire): begin again.
        if (!hasReason(error, 'NotFound')) throw error
      }
    }
    await send(transport, { method: 'POST', path, body: structuredClone(body) })
  }
  async function writeOrDrop(write: EventWrite) {
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        return await attempt(write)
      } catch (error) {
        const refused = error instanceof StatusError && error.code < 500 && error.code !== 429
        if (refused || tries === TRIES) {
          write.dropped?.()
          // A namespace that is being deleted takes no events; that is no news.
          if (!hasReason(error, 'Forbidden', 'NotFound')) {
            deps.logger.warn({ err: error, reason: write.body.reason }, 'an event could not be written')
          }
          return
        }
        await sleep(deps.clock, RETRY_MS, signal)
      }
    }
  }
  return {
    write(write) {
      if (signal.aborted) return
      if (pending >= PENDING) return write.dropped?.()
      pending++
      tail = tail
        .then(() => writeOrDrop(write))
        .finally(() => {
          pending--
        })
    },
    flushed: () => tail,
  }
}

/** Makes names of events as upstream: the object's name and the time in nanoseconds, in hexadecimal. */
export function eventNames(clock: Clock): (of: string) => string {
  let serial = 0
  return of => `${of}.${(BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)}`
}
