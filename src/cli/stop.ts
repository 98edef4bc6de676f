/** Ends a running instance: by its pid, with a word left in the data directory about what becomes of the workloads. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../lib/clock.ts'
import { processStartTime } from '../lib/process-start.ts'
import type { Context } from './context.ts'
import { UserError } from './context.ts'
import type { Instance } from './instance.ts'

/** Present while `tutti down` wants the workloads stopped; read by the program when SIGTERM arrives. */
export const stopRequestFile = (dataDir: string) => join(dataDir, 'stop-workloads')

export interface StopOptions {
  /** Stop the workloads too, in order. */
  readonly workloads: boolean
  /** After this the program is told to end without waiting further. */
  readonly timeoutMs: number
}

/** What it takes besides its workloads, on a slow machine that is busy: a container runtime and the network end, too (ms). */
const CLEAR_MS = 60_000

/** Resolves when the process is gone. Throws `UserError` when it outlives the timeout by a minute. */
export async function stopInstance(
  { clock, dataDir }: Pick<Context, 'clock' | 'dataDir'>,
  instance: Instance,
  { workloads, timeoutMs }: StopOptions,
): Promise<void> {
  const alive = () => {
    const started = processStartTime(instance.pid)
    return started !== undefined && (!started || !instance.startTime || started === instance.startTime)
  }
  if (workloads) writeFileSync(stopRequestFile(dataDir), JSON.stringify({ timeoutMs }))
  process.kill(instance.pid, 'SIGTERM')
  const end = clock.now() + timeoutMs + CLEAR_MS
  // The process is not our child: its end can only be seen by looking.
  while (alive()) {
    if (clock.now() > end)
      throw new UserError(
        `the program (pid ${instance.pid}) did not stop`,
        `Look into ${join(dataDir, 'tutti.log')}; kill -9 ${instance.pid} ends it without harm to its state.`,
      )
    await sleep(clock, 20)
  }
  rmSync(stopRequestFile(dataDir), { force: true })
}
