/** Reads the states of what the runtime's events are about; of each sandbox and container once at a time. */
import { type Clock, sleep } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import type { Known } from './known.ts'

export interface Follow {
  /** Something happened to this container or sandbox; `ended`: its main process is gone. */
  seen(id: string, ended: boolean): void
  /**
   * Does what ends these, and reads them when it is done, also when it failed: no event of them needs to be read
   * meanwhile. Rejects as `work` does.
   */
  ending(ids: readonly string[], work: () => Promise<unknown>): Promise<void>
}

export interface FollowDeps {
  readonly known: Known
  readonly clock: Clock
  readonly logger: Logger
  /** Ends all reading. */
  readonly signal: AbortSignal
}

/** A runtime's state follows its events: within this time (ms) after an end it is read again, */
const FOLLOW_MS = 5000
/** first after this. */
const STEP_MS = 2

/** Follows nothing before the first event. */
export function createFollow({ known, clock, logger, signal }: FollowDeps): Follow {
  /** What is being read after its end; called, it is read soon. */
  const reading = new Map<string, () => void>()
  /** What is being ended by a call, and by how many. */
  const ending = new Map<string, number>()

  async function read(id: string) {
    const container = known.containers.get(id)
    if (container) return known.readContainer(id, container.status.sandboxId)
    return known.sandboxes.has(id) ? known.readSandbox(id) : undefined
  }
  /** The runtime tells of an end before its status does: then it is read again until it does, and soon. */
  async function readEnd(id: string) {
    const until = clock.elapsed() + FOLLOW_MS
    let step = 0
    let pause = new AbortController()
    reading.set(id, () => {
      step = 0
      pause.abort()
    })
    while (!signal.aborted) {
      pause = new AbortController()
      const now = await read(id)
      const isOver = !now || now.status.state === 'exited' || now.status.state === 'stopped'
      if (isOver || clock.elapsed() > until) return
      step = Math.max(STEP_MS, step * 2)
      await sleep(clock, step, AbortSignal.any([signal, pause.signal]))
      // The call reads it when it is done.
      if (ending.has(id)) return
    }
  }

  return {
    seen(id, ended) {
      // Of others' pods there are events, too; what is being made here is read when it stands.
      if (!known.containers.has(id) && !known.sandboxes.has(id)) return
      if (ending.has(id)) return
      // A second event of an end comes when the runtime has cleaned up, just before its status changes.
      if (ended && reading.has(id)) return reading.get(id)!()
      const work = ended ? readEnd(id).finally(() => reading.delete(id)) : read(id)
      void work.catch(error => logger.debug({ err: error, id }, 'the state after an event was not read'))
    },
    async ending(ids, work) {
      for (const id of ids) ending.set(id, (ending.get(id) ?? 0) + 1)
      const release = () => {
        for (const id of ids) {
          const left = ending.get(id)! - 1
          if (left > 0) ending.set(id, left)
          else ending.delete(id)
        }
        return Promise.all(ids.map(read))
      }
      try {
        await work()
      } catch (error) {
        await release().catch(() => {})
        throw error
      }
      await release()
    },
  }
}
