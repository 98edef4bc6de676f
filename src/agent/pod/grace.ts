/** How long the containers of a pod that ends still have. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Clock } from '../../lib/clock.ts'

/** What a pod has that does not say (API doc: PodSpec.terminationGracePeriodSeconds). */
export const DEFAULT_GRACE_S = 30
/** What a pod has whose object is gone. */
const GONE_S = 1

export interface Grace {
  /** Milliseconds that are left; 0 when the pod was deleted by force. `gone`: its object is no more. */
  left(pod: Pod, gone: boolean): number
  /** However long the pod has, no longer than so many ms from now. */
  limit(ms: number): void
  /** The end did not come: the next one has all of its time. */
  reset(): void
}

/** Counts from when it is first asked; a later, shorter grace counts from when it is heard of. */
export function createGrace(clock: Pick<Clock, 'elapsed'>): Grace {
  let until = Number.POSITIVE_INFINITY
  return {
    left({ metadata, spec }, gone) {
      const { deletionGracePeriodSeconds, deletionTimestamp } = metadata ?? {}
      const given = deletionTimestamp ? deletionGracePeriodSeconds : spec?.terminationGracePeriodSeconds
      const seconds = given ?? DEFAULT_GRACE_S
      until = Math.min(until, clock.elapsed() + (gone ? Math.min(seconds, GONE_S) : seconds) * 1000)
      return Math.max(0, until - clock.elapsed())
    },
    limit(ms) {
      until = Math.min(until, clock.elapsed() + ms)
    },
    reset() {
      until = Number.POSITIVE_INFINITY
    },
  }
}
