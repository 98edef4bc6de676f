/** The last word about a pod that has ended: its object may go. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { Client } from '../../client/client.ts'
import { sleep } from '../../lib/clock.ts'
import { pods } from '../resources.ts'
import { type PodDeps, podTitle } from './deps.ts'

/** Takes an object of a pod away at once, if it is still there and the same. */
export async function deleteNow(client: Client, { metadata = {} }: Pod): Promise<void> {
  const { namespace, name = '', uid = '' } = metadata
  try {
    await client.kind(pods).delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } })
  } catch (error) {
    if (!(error instanceof StatusError && (error.code === 404 || error.code === 409))) throw error
  }
}

/** Deletes the pod's object, as often as it takes. Resolves when it is gone, or `isOver` says that nobody cares. */
export async function deleteEnded(
  { client, clock, logger, signal }: Pick<PodDeps, 'client' | 'clock' | 'logger' | 'signal'>,
  pod: Pod,
  isOver: () => boolean,
): Promise<void> {
  const backOff = createBackOff(100, 10_000)
  while (!isOver() && !signal.aborted) {
    try {
      return await deleteNow(client, pod)
    } catch (error) {
      logger.warn({ err: error, pod: podTitle(pod) }, 'a pod that has ended could not be deleted; trying again')
      await sleep(clock, backOff.next(), signal)
    }
  }
}
