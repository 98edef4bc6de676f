/**
 * Keeps pods within their limits of disk. Counting files is dear, and asking how full the disk is costs nothing: a pod
 * is measured again when so much was written on the disk that it may be beyond a limit by now, and otherwise more and
 * more seldom. A node without limited pods looks at nothing.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { type DiskUsage, excess, headroom, isLimited } from './limits.ts'

/** Between two looks at the disk (the kubelet's), ms. */
const LOOK_MS = 10_000
/** Between two measurements of a pod that nothing hints at, ms: first and longest. */
const REST_MS = 30_000
const REST_MAX_MS = 600_000
/** Of the time, what measuring may take. */
const SHARE = 0.05

export interface DiskWatchDeps {
  readonly clock: Clock
  /** Bytes in use on the disk on which pods live. */
  used(): number
  /** What a pod has there; undefined where there is nothing to measure. */
  measure(pod: Pod): Promise<DiskUsage | undefined>
  /** A pod is beyond a limit. */
  exceeded(pod: Pod, message: string): void
}

export interface DiskWatch {
  /** A pod runs here, as it is now. */
  follow(pod: Pod): void
  /** By its uid: it does not any more. */
  forget(uid: string): void
  close(): void
}

interface Followed {
  pod: Pod
  /** From then on it is measured whatever the disk says (monotonic ms). */
  due: number
  rest: number
  /** Use of the whole disk at which the pod may have reached a limit. */
  alarm: number
}

/** Watches nothing until a limited pod is followed. */
export function createDiskWatch({ clock, used, measure, exceeded }: DiskWatchDeps): DiskWatch {
  const followed = new Map<string, Followed>()
  let timer: Timer | undefined
  let looking = false
  let closed = false

  async function look() {
    looking = true
    const began = clock.elapsed()
    const now = used()
    for (const [uid, each] of followed) {
      const isAlarmed = now >= each.alarm
      if (!isAlarmed && clock.elapsed() < each.due) continue
      const usage = await measure(each.pod).catch(() => undefined)
      if (closed || followed.get(uid) !== each) continue
      each.rest = isAlarmed ? REST_MS : Math.min(each.rest * 2, REST_MAX_MS)
      each.due = clock.elapsed() + each.rest
      if (!usage) continue
      const message = excess(each.pod, usage)
      if (message !== undefined) {
        followed.delete(uid)
        exceeded(each.pod, message)
      } else each.alarm = now + headroom(each.pod, usage)
    }
    looking = false
    arm(Math.max(LOOK_MS, (clock.elapsed() - began) / SHARE))
  }
  function arm(ms: number) {
    timer?.cancel()
    timer = closed || followed.size === 0 ? undefined : clock.after(ms, () => void look())
  }

  return {
    follow(pod) {
      const uid = pod.metadata?.uid ?? ''
      const known = followed.get(uid)
      if (!isLimited(pod) || closed) {
        followed.delete(uid)
        return
      }
      if (known) known.pod = pod
      else followed.set(uid, { pod, due: 0, rest: REST_MS, alarm: 0 })
      if (!timer && !looking) arm(LOOK_MS)
    },
    forget: uid => followed.delete(uid),
    close() {
      closed = true
      timer?.cancel()
      followed.clear()
    },
  }
}
