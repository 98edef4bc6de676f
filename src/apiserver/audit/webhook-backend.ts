/** The audit log sent to another server, many events at a time (audit.k8s.io/v1 EventList). */
import type { Clock, Timer } from '../../lib/clock.ts'
import { sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { AuditBackend } from './audit.ts'

/** As the `--audit-webhook-batch-…` flags of kube-apiserver. */
export interface BatchOptions {
  /** Events in one request. Default 400. */
  readonly maxSize?: number
  /** Events that may wait; more are dropped. Default 10,000. */
  readonly bufferSize?: number
  /** An event waits no longer than this for others, in ms. Default 30,000. */
  readonly maxWait?: number
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

  async function drain() {
    while (waiting.length) {
      const batch = waiting.slice(0, maxSize)
      waiting = waiting.slice(maxSize)
      await send(batch)
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
