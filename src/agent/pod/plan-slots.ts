/** The containers of a pod as the plan sees them. */
import type { Clock } from '../../lib/clock.ts'
import type { PlanSlot } from './plan.ts'
import type { PodResize } from './resize.ts'
import { isStarted, type Slot } from './slot.ts'

/** `sandbox` is the one that they are to run in; undefined while there is none. */
export function planSlots(
  slots: readonly Slot[],
  resize: Pick<PodResize, 'needOf'>,
  clock: Clock,
  sandbox: string | undefined,
): PlanSlot[] {
  return slots.map(slot => {
    const [latest] = slot.instances
    const forced = latest !== undefined && slot.forced === latest.id
    const backOff = latest?.state === 'exited' && !forced ? slot.backOff.wait(latest.finishedAt, clock) : 0
    return {
      spec: slot.spec,
      init: slot.init,
      ephemeral: slot.sort === 'ephemeral',
      latest,
      lost: slot.anew === 'all' ? undefined : slot.lost?.terminated.exitCode,
      stale: latest ? sandbox !== undefined && latest.sandboxId !== sandbox : slot.anew !== undefined,
      busy: slot.busy !== undefined,
      started: isStarted(slot),
      failed: slot.prober && slot.prober.id === latest?.id ? slot.prober.prober.failed() : undefined,
      forced,
      resized: resize.needOf(slot) === 'restart',
      wait: Math.max(backOff, slot.retryAt - clock.elapsed()),
    }
  })
}
