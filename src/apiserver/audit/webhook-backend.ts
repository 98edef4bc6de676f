/** The audit log sent to another server, many events at a time (audit.k8s.io/v1 EventList). */
import type { Clock, Timer } from '../../lib/clock.ts'
import { sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { tokenBucket } from '../../lib/token-bucket.ts'
import type { AuditBackend } from './audit.ts'

/** As the `--audit-webhook-batch-…` flags of kube-apiserver. */
export interface BatchOptions {
  /** Events in one request. Default 400. */
  readonly maxSize?: number
  /** Events that may wait; more are dropped. Default 10,000. */
  readonly bufferSize?: number
  /** An event waits no longer than this for others, in ms. Default 30,000. */
  readonly maxWait?: number
  /** Bytes of one request; a single event may be larger. Default: no bound. */
  readonly maxBytes?: number
  /** Requests in a second, in the long run. Default 10. */
  readonly qps?: number
  /** Requests at once, after a pause. Default 15. */
  readonly burst?: number
  /** Whether `qps` and `burst` count. Default true. */
  readonly throttle?: boolean
  /** Before the first of the tries that follow a failure, in ms; doubled with each. Default 10,000. */
  readonly initialBackoff?: number
}

/** Tries of one batch, as upstream. */
const TRIES = 5

export interface WebhookDeps {
  /** Posts a body; rejects where the server did not take it. */
  post(body: string): Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the backend. A timer runs only while events wait. */
export function webhookBackend({ post, clock, logger }: WebhookDeps, options: BatchOptions = {}): AuditBackend {
  const { maxSize = 400, bufferSize = 10_000, maxWait = 30_000, initialBackoff = 10_000 } = options
  const { maxBytes = Number.POSITIVE_INFINITY, qps = 10, burst = 15, throttle = true } = options
  let waiting: string[] = []
  let timer: Timer | undefined
  let sending: Promise<void> | undefined
  let dropped = 0
  const closing = new AbortController()

  async function send(lines: readonly string[]): Promise<void> {
    const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.join()}]}`
    for (let attempt = 1; ; attempt++) {
      try {
        return await post(body)
      } catch (error) {
        if (attempt === TRIES || closing.signal.aborted) {
          logger.error({ err: error, events: lines.length }, 'audit events could not be sent')
          return
        }
        await sleep(clock, initialBackoff * 2 ** (attempt - 1), closing.signal)
      }
    }
  }

  const bucket = tokenBucket({ everyMs: 1000 / qps, burst }, clock.elapsed())
  /** Waits until a request may go out. */
  async function turn() {
    const ms = throttle ? bucket.borrow(clock.elapsed()) : 0
    if (ms > 0) await sleep(clock, ms, closing.signal)
  }
  /** As many of those that wait as one request takes. */
  function nextBatch(): string[] {
    let bytes = 0
    const end = waiting.findIndex((line, at) => at === maxSize || ((bytes += line.length) > maxBytes && at > 0))
    const batch = end < 0 ? waiting : waiting.slice(0, end)
    waiting = end < 0 ? [] : waiting.slice(end)
    return batch
  }
  async function drain() {
    while (waiting.length) {
      await turn()
      await send(nextBatch())
    }
    sending = undefined
  }
  function flush() {
    timer?.cancel()
    timer = undefined
    sending ??= drain()
    return sending
  }

  return {
    take(line) {
      if (waiting.length >= bufferSize) {
        if (dropped++ === 0) logger.error({ bufferSize }, 'audit events are dropped: the server does not keep up')
        return
      }
      dropped = 0
      waiting.push(line)
      if (waiting.length >= maxSize) void flush()
      else timer ??= clock.after(maxWait, () => void flush())
    },
    async close() {
      closing.abort()
      await flush()
    },
  }
}
