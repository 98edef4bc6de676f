/**
 * The end of a node with its machine (KEP-2000): it says that it is not ready, takes no pod any more, and ends those that
 * it has by priority, each group within its time. What ended so has failed: its controller makes another, elsewhere or
 * here after the boot. It does not know how the machine tells.
 */
import { isFinished } from '../../api/kinds/core/finished.ts'
import { type Clock, within } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Refusal } from '../pod/deps.ts'
import type { PodWorker } from '../pod/worker.ts'
import { inOrderOfShutdown, type ShutdownPeriod } from './periods.ts'
import type { ShutdownListener } from './source.ts'

const REFUSED: Refusal = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' }
const ENDED: Refusal = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  disruption: 'TerminationByKubelet',
}

export interface NodeShutdownDeps {
  readonly periods: readonly ShutdownPeriod[]
  readonly clock: Clock
  readonly logger: Logger
  workers(): Iterable<Pick<PodWorker, 'pod' | 'terminate'>>
  /** The node says what it is now; resolves when that is heard, or will not be soon. Does not reject. */
  tellStatus(): Promise<void>
  /** Tells the cluster, as an event of the node. */
  tell(message: string): void
}

export interface NodeShutdown extends ShutdownListener {
  isUnderWay(): boolean
  /** Undefined: a pod may start. */
  admit(): Refusal | undefined
}

/** Makes one of a node that is not shutting down. `begins` may be called again: it is the same end. */
export function createNodeShutdown(deps: NodeShutdownDeps): NodeShutdown {
  const { clock, logger } = deps
  let underWay: { readonly ended: Promise<void>; readonly scope: AbortController } | undefined

  async function endPods(signal: AbortSignal) {
    // Otherwise what replaces the first pods would be sent here.
    await deps.tellStatus()
    const active = [...deps.workers()].filter(each => !isFinished(each.pod()))
    for (const { seconds, members } of inOrderOfShutdown(deps.periods, active)) {
      // What has begun to end does; the others go on where the machine does.
      if (signal.aborted) return
      const ended = Promise.all(members.map(each => each.terminate(ENDED, seconds * 1000)))
      await within(clock, seconds * 1000, ended, signal)
    }
    logger.info({ pods: active.length }, 'the pods have ended: the machine may shut down')
  }

  return {
    isUnderWay: () => underWay !== undefined,
    admit: () => (underWay ? REFUSED : undefined),
    begins() {
      if (!underWay) {
        logger.info({}, 'the machine shuts down: pods end by priority')
        deps.tell('Shutdown manager detected shutdown event')
        const scope = new AbortController()
        underWay = { scope, ended: Promise.resolve().then(() => endPods(scope.signal)) }
      }
      return underWay.ended
    },
    cancelled() {
      if (!underWay) return
      logger.info({}, 'the machine does not shut down after all')
      deps.tell('Shutdown manager detected shutdown cancellation')
      underWay.scope.abort()
      underWay = undefined
      void deps.tellStatus()
    },
  }
}
