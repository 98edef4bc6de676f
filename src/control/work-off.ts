import { hasReason } from '../client/client.ts'
import type { WorkQueue } from '../client/work-queue.ts'
import type { Logger } from '../lib/log.ts'

export interface Worker<K> {
  /** Rejects where it has to be done again later. */
  work(key: K): Promise<void>
  /** What a key is, and what it means when its work failed: for the log. */
  readonly what: string
  readonly problem: string
  readonly logger: Logger
  /** How many keys are worked on at a time. Default: 1. */
  readonly workers?: number
}

/** Works a queue off until `signal` aborts, which closes it. What failed comes again, after growing delays. */
export async function workOff<K>(
  queue: WorkQueue<K>,
  { work, what, problem, logger, workers = 1 }: Worker<K>,
  signal: AbortSignal,
): Promise<void> {
  const close = () => queue.close()
  signal.addEventListener('abort', close, { once: true })
  if (signal.aborted) close()

  async function worker(): Promise<void> {
    for (;;) {
      const key = await queue.take()
      if (key === undefined) return
      try {
        await work(key)
        queue.forget(key)
      } catch (error) {
        const retryInMs = queue.addFailed(key)
        // Somebody else was faster: what is there now is looked at.
        const isQuiet = signal.aborted || hasReason(error, 'Conflict', 'NotFound')
        logger[isQuiet ? 'debug' : 'warn']({ err: error, [what]: key, retryInMs }, problem)
      }
      queue.done(key)
    }
  }
  await Promise.all(Array.from({ length: workers }, worker))
}
