/**
 * The probes of one instance of a container. The first try comes early: startup and readiness are tried soon after the
 * start, at growing distances, until they succeed or a period has passed; these early tries only ever say yes. Then
 * each probe keeps its period, and thresholds count.
 */
import type { Container, Probe } from '../../api/generated/types/core-v1.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { ProbeResult } from '../runtimes/runtime.ts'

/** First early try after this many ms, then twice as far each time. */
const EARLY_MS = 15

export type ProbeType = 'startup' | 'readiness' | 'liveness'

export interface Prober {
  /** The startup probe has succeeded, or there is none. */
  started(): boolean
  ready(): boolean
  /** The container must be killed, and why. */
  failed(): ProbeType | undefined
  /** Liveness and startup no longer matter: the pod is being ended. */
  endPodBegan(): void
  stop(): void
}

export interface ProberDeps {
  readonly clock: Clock
  run(probe: Probe): Promise<ProbeResult>
  /** `started`, `ready` or `failed` changed. */
  changed(): void
  /** A try that counts. */
  tried(type: ProbeType, result: ProbeResult): void
}

interface Loop {
  readonly type: ProbeType
  readonly probe: Probe
  timer?: Timer | undefined
  run: number
  last?: boolean
  result?: boolean
}

const periodOf = (probe: Probe) => (probe.periodSeconds ?? 10) * 1000

/**
 * Begins probing. `startedAt` is when the instance started (ms since the epoch). `before` is what was known of this
 * same instance by an earlier Tutti: it stands until a probe says otherwise.
 */
export function createProber(
  container: Container,
  startedAt: number,
  before: { readonly started: boolean; readonly ready: boolean } | undefined,
  deps: ProberDeps,
): Prober {
  const { clock } = deps
  /** The same by `elapsed`. */
  const start = clock.elapsed() - Math.max(0, clock.now() - startedAt)
  let stopped = false
  let ending = false
  let failed: ProbeType | undefined
  const loops: Loop[] = []
  const add = (type: ProbeType, probe: Probe | undefined, result: boolean | undefined): Loop | undefined => {
    if (!probe) return undefined
    const loop: Loop = { type, probe, run: 0, ...(result === undefined ? {} : { result }) }
    loops.push(loop)
    return loop
  }
  const startup = add('startup', container.startupProbe, before?.started ? true : undefined)
  const readiness = add('readiness', container.readinessProbe, before?.ready ? true : undefined)
  const liveness = add('liveness', container.livenessProbe, undefined)
  const started = () => startup === undefined || startup.result === true
  const ready = () => started() && (readiness === undefined || readiness.result === true)

  const arm = (loop: Loop, delay: number, early: number) => {
    loop.timer?.cancel()
    if (!stopped) loop.timer = clock.after(delay, () => void attempt(loop, early))
  }
  async function attempt(loop: Loop, early: number) {
    loop.timer = undefined
    if (stopped || (ending && loop.type !== 'readiness')) return
    const began = clock.elapsed()
    const result = await deps.run(loop.probe)
    const { ok } = result
    if (stopped || (ending && loop.type !== 'readiness')) return
    const period = periodOf(loop.probe)
    if (early > 0 && !ok) {
      // Too soon to hold it against the container: the first counted try comes when its first period has passed.
      const regular = Math.max(start + (loop.probe.initialDelaySeconds ?? 0) * 1000 + period - clock.elapsed(), 0)
      return early < regular ? arm(loop, early, early * 2) : arm(loop, regular, 0)
    }
    deps.tried(loop.type, result)
    if (settle(loop, ok)) return
    arm(loop, Math.max(0, began + period - clock.elapsed()), 0)
  }
  /** Counts a result; true when the loop is over. */
  function settle(loop: Loop, ok: boolean): boolean {
    loop.run = loop.last === ok ? loop.run + 1 : 1
    loop.last = ok
    const threshold = ok ? (loop.probe.successThreshold ?? 1) : (loop.probe.failureThreshold ?? 3)
    if (loop.run < threshold) return false
    const changed = loop.result !== ok
    loop.result = ok
    if (!ok && loop.type !== 'readiness') failed = loop.type
    if (changed || failed) deps.changed()
    if (loop === startup && ok) begin(readiness, liveness)
    return loop.type === 'startup' || failed !== undefined
  }
  function begin(...which: (Loop | undefined)[]) {
    for (const loop of which) {
      if (!loop) continue
      const delay = Math.max(start + (loop.probe.initialDelaySeconds ?? 0) * 1000 - clock.elapsed(), 0)
      if (loop.type === 'liveness')
        arm(loop, Math.max(delay, loop.probe.initialDelaySeconds ? 0 : periodOf(loop.probe)), 0)
      else if (loop.result === true) arm(loop, periodOf(loop.probe), 0)
      else arm(loop, Math.max(delay, EARLY_MS), EARLY_MS * 2)
    }
  }
  if (startup && startup.result !== true) begin(startup)
  else begin(readiness, liveness)

  return {
    started,
    ready,
    failed: () => failed,
    endPodBegan() {
      ending = true
      for (const loop of loops) if (loop.type !== 'readiness') loop.timer?.cancel()
    },
    stop() {
      stopped = true
      for (const loop of loops) loop.timer?.cancel()
    },
  }
}
