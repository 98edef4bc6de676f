/**
 * A first start is not told in its stages when it is over soon: one write instead of four, and Running is not held up
 * behind the others.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Slot } from './slot.ts'

const QUIET_MS = 500

/** It starts for the first time, and nothing of that is worth a word yet. */
const isFresh = (slot: Slot) =>
  slot.busy === 'starting' &&
  !slot.waiting &&
  !slot.spec.lifecycle?.postStart &&
  slot.instances.every(each => each.state !== 'exited')

/**
 * Makes the judge of one pod: milliseconds for which its present stage need not be told. Where a start takes longer its
 * stages are told no more often than that.
 */
export function createQuiet(clock: Pick<Clock, 'elapsed'>) {
  let since: number | undefined
  return (preparing: boolean, slots: readonly Slot[]): number => {
    if (!preparing && !slots.some(isFresh)) {
      since = undefined
      return 0
    }
    since ??= clock.elapsed()
    const left = since + QUIET_MS - clock.elapsed()
    if (left > 0) return left
    since = undefined
    return 0
  }
}
