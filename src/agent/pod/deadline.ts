/**
 * How long a pod has been active on the node, whatever is done to the machine's clock meanwhile: counted by elapsed
 * time from when the node first saw it; only what an earlier life of the node had counted is taken from the clock.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Clock } from '../../lib/clock.ts'

export interface ActiveTime {
  /** Milliseconds until `activeDeadlineSeconds` have passed; undefined where the pod has no deadline. */
  left(pod: Pod): number | undefined
}

/** `startTime` is when the pod became active, in ms since the epoch. */
export function createActiveTime(clock: Pick<Clock, 'now' | 'elapsed'>, startTime: number): ActiveTime {
  const since = clock.elapsed() - Math.max(0, clock.now() - startTime)
  return {
    left({ spec }) {
      const seconds = spec?.activeDeadlineSeconds
      return seconds === undefined ? undefined : since + seconds * 1000 - clock.elapsed()
    },
  }
}
