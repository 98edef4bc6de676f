/** The last word about a pod that has ended: its object may go. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { createBackOff } from '../../client/back-off.ts'
import { sleep } from '../../lib/clock.ts'
import { pods } from '../resources.ts'
import { type PodDeps, podTitle } from './deps.ts'

/** Deletes the pod's object, as often as it takes. Resolves when it is gone, or `isOver` says that nobody cares. */
export async function deleteEnded(
  { client, clock, logger, signal }: Pick<PodDeps, 'client' | 'clock' | 'logger' | 'signal'>,
  pod: Pod,
  isOver: () => boolean,
): Promise<void> {
  const { namespace, name = '', uid = '' } = pod.metadata ?? {}
  const backOff = createBackOff(100, 10_000)
  while (!isOver() && !signal.aborted) {
    try {
      await client.kind(pods).delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
      return
    } catch (error) {
      if (error instanceof StatusError && (error.code === 404 || error.code === 409)) return
      logger.warn({ err: error, pod: podTitle(pod) }, 'a pod that has ended could not be deleted; trying again')
      await sleep(clock, backOff.next(), signal)
    }
  }
}
