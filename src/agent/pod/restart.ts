/** Whether and when a container that ended is started again. */
import type { Container, ContainerRestartRule, PodSpec } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import type { Clock } from '../../lib/clock.ts'

/** First wait, and the time of good running after which counting begins anew (as the kubelet's). */
const FIRST_MS = 10_000
const FORGIVEN_MS = 600_000

/** The first rule of a container that speaks of this exit code (KEP-5307); each of them starts it again. */
export const ruleFor = (
  rules: readonly ContainerRestartRule[] | undefined,
  exitCode: number,
): ContainerRestartRule | undefined =>
  rules?.find(({ exitCodes }) => {
    if (!exitCodes) return false
    return (exitCodes.values?.includes(exitCode) ?? false) === (exitCodes.operator === 'In')
  })

/** Policy of the container, its rules (KEP-5307) and the pod, applied to an exit code. */
export function shouldRestart(container: Container, spec: PodSpec, exitCode: number, init = false): boolean {
  if (ruleFor(container.restartPolicyRules, exitCode)) return true
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always'
  // An init container that succeeded is done, whatever the pod's policy.
  if (policy === 'Always') return init && !isSidecar(container) ? exitCode !== 0 : true
  return policy === 'OnFailure' && exitCode !== 0
}

export interface RestartBackOff {
  /** Milliseconds that a restart still has to wait; 0: now. `finishedAt` is when the container ended. */
  wait(finishedAt: number, clock: Pick<Clock, 'now' | 'elapsed'>): number
  /** The whole of the present wait, ms. */
  current(): number
  /** A restart happens now. */
  restarted(now: number): void
  reset(): void
}

/** The first restart is immediate; then 10 s, doubling to `longest` (ms); forgiven after 10 minutes of running. */
export function createRestartBackOff(longest: number): RestartBackOff {
  let wait = 0
  let last = 0
  /** The end that is waited after, and until when by `elapsed`. */
  let after: { finishedAt: number; due: number } | undefined
  return {
    wait(finishedAt, clock) {
      if (wait > 0 && finishedAt - last > FORGIVEN_MS) wait = 0
      if (wait === 0) return 0
      if (after?.finishedAt !== finishedAt) {
        // The clock may have been set since the end: a wait is never longer than it was meant to be.
        const left = Math.min(Math.max(0, finishedAt + wait - clock.now()), wait)
        after = { finishedAt, due: clock.elapsed() + left }
      }
      return Math.max(0, after.due - clock.elapsed())
    },
    current: () => wait,
    restarted(now) {
      wait = Math.min(wait === 0 ? FIRST_MS : wait * 2, longest)
      last = now
      after = undefined
    },
    reset() {
      wait = 0
    },
  }
}
