/** One simulated container: its status, its timers, its end. */
import type { Clock, Timer } from '../../../lib/clock.ts'
import {
  type ContainerConfig,
  type ContainerStatus,
  type Resources,
  RuntimeError,
  type SandboxConfig,
} from '../runtime.ts'
import { createSimulatedLog, type SimulatedLog } from './log.ts'
import type { ContainerScript } from './script.ts'

export interface SimulatedContainer {
  readonly log: SimulatedLog
  readonly script: ContainerScript
  status(): ContainerStatus
  start(): Promise<void>
  stop(graceMs: number): Promise<void>
  kill(): void
  /** Changes its limits. */
  update(resources: Resources): void
}

/** Codes of a process that a signal ended. */
const TERMINATED = 143
const KILLED = 137

/** Makes one that is created and not started. `changed` is called after every change of its state. */
export function createSimulatedContainer(
  id: string,
  sandboxId: string,
  sandbox: SandboxConfig,
  config: ContainerConfig,
  script: ContainerScript,
  clock: Clock,
  changed: () => void,
): SimulatedContainer {
  const log = createSimulatedLog()
  const timers: Timer[] = []
  let stopped: (() => void)[] = []
  let status: ContainerStatus = {
    id,
    sandboxId,
    podUid: sandbox.uid,
    name: config.name,
    attempt: config.attempt,
    state: 'created',
    image: config.image,
    imageId: config.image,
    annotations: config.annotations,
    resources: config.resources,
    createdAt: clock.now(),
    startedAt: 0,
    finishedAt: 0,
  }

  const after = (ms: number, fn: () => void) => void timers.push(clock.after(ms, fn))
  function end(exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error', message?: string) {
    if (status.state === 'exited') return
    for (const timer of timers) timer.cancel()
    status = { ...status, state: 'exited', exitCode, reason, finishedAt: clock.now(), ...(message && { message }) }
    log.end()
    for (const resolve of stopped) resolve()
    stopped = []
    changed()
  }

  return {
    log,
    script,
    status: () => status,
    async start() {
      if (script.startMs) await new Promise<void>(resolve => void clock.after(script.startMs!, resolve))
      if (status.state === 'exited') return
      if (script.startError) {
        const { reason, message } = script.startError
        end(128, reason, message)
        throw new RuntimeError(reason, message)
      }
      status = { ...status, state: 'running', startedAt: clock.now() }
      for (const line of script.prints ?? []) log.write(line, clock.now())
      if (script.exitAfterMs !== undefined) after(script.exitAfterMs, () => end(script.exitCode ?? 0))
      changed()
    },
    stop(graceMs) {
      if (status.state === 'exited') return Promise.resolve()
      if (status.state === 'created') {
        end(KILLED)
        return Promise.resolve()
      }
      return new Promise(resolve => {
        stopped.push(resolve)
        if (script.stopMs !== null) after(script.stopMs ?? 0, () => end(TERMINATED))
        after(graceMs, () => end(KILLED))
      })
    },
    kill: () => end(KILLED),
    update(resources) {
      status = { ...status, resources: { ...status.resources, ...resources } }
    },
  }
}
