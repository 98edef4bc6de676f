/** What is said of a container while it is worked on: events that `kubectl describe` shows, and why it waits. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { formatDuration } from '../../api/machinery/time.ts'
import { type PodDeps, podTitle } from './deps.ts'
import type { Slot } from './slot.ts'

/** First and longest distance between tries of a start that fails before there is an instance. */
const RETRY_MS = 10_000
const RETRY_MAX_MS = 300_000
export interface ContainerDeps extends PodDeps {
  /** The pod as it is now. */
  pod(): Pod
  /** The pod with the resources that it has been given. */
  allocated(): Pod
  /** The running instance of another container of the pod; undefined where there is none. */
  running(container: string): string | undefined
  /** Something changed that plan and status should see. */
  changed(): void
}

const LISTS = { init: 'initContainers', main: 'containers', ephemeral: 'ephemeralContainers' }
const fieldPath = (slot: Slot) => `spec.${LISTS[slot.sort]}{${slot.spec.name}}`

/** Records an event about a container. */
export function containerEvent(
  deps: ContainerDeps,
  slot: Slot,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) {
  deps.events.event({ ...deps.pod(), fieldPath: fieldPath(slot) }, type, reason, message)
}

/** Waits longer for each failure of the same sort in a row. */
export function postpone(deps: ContainerDeps, slot: Slot, reason: string, message: string): void {
  const before = slot.waiting?.reason === 'ImagePullBackOff' ? 'ErrImagePull' : slot.waiting?.reason
  const wait = before === reason && slot.toldBackOff > 0 ? Math.min(slot.toldBackOff * 2, RETRY_MAX_MS) : RETRY_MS
  slot.toldBackOff = wait
  slot.retryAt = deps.clock.elapsed() + wait
  slot.waiting = { reason, message }
}

/** Says that a container which failed waits for its restart, once for each wait. */
export function tellRestartBackOff(deps: ContainerDeps, slot: Slot): void {
  const wait = slot.backOff.current()
  // A start that was refused before there was an instance tells its own reason.
  if (slot.retryAt > deps.clock.elapsed() || wait === 0) return
  const { name } = slot.spec
  const title = podTitle(deps.pod())
  slot.waiting = {
    reason: 'CrashLoopBackOff',
    message: `back-off ${formatDuration(wait)} restarting failed container=${name} pod=${title}`,
  }
  if (slot.toldBackOff === wait) return
  slot.toldBackOff = wait
  containerEvent(deps, slot, 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${title}`)
}
