/** Ends a running instance: by its pid, with a word left in the data directory about what becomes of the workloads. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../lib/clock.ts'
import { processStartTime } from '../lib/process-start.ts'
import type { Context } from './context.ts'
import { UserError } from './context.ts'
import { type Instance, readInstance } from './instance.ts'
import { withProgress } from './output/progress.ts'

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

/** An end is looked for so often (ms). */
const STEP_MS = 20

/** What to do about one that does not stop. */
const afterAll = ({ pid }: Instance, dataDir: string) =>
  `Look into ${join(dataDir, 'tutti.log')}; kill -9 ${pid} ends it without harm to its state.`

/** Its process is there. */
const isAlive = ({ pid, startTime }: Instance) => {
  const started = processStartTime(pid)
  return started !== undefined && (!started || !startTime || started === startTime)
}

type WaitContext = Pick<Context, 'io' | 'json' | 'clock' | 'dataDir' | 'signal'>

/**
 * The instance of a data directory that runs and goes on to run; undefined when there is none. One that has been told to
 * stop is waited for, until the context's signal aborts (`UserError`).
 */
export async function lastingInstance(context: WaitContext): Promise<Instance | undefined> {
  const { clock, dataDir, signal } = context
  const found = readInstance(dataDir)
  if (!found?.ending) return found
  await withProgress(context, `waiting for the end of the program that is stopping (pid ${found.pid})`, async () => {
    while (isAlive(found)) {
      if (signal.aborted)
        throw new UserError(`the program (pid ${found.pid}) has not stopped yet`, afterAll(found, dataDir))
      await sleep(clock, STEP_MS, signal)
    }
  })
  return readInstance(dataDir)
}

/** Resolves when the process is gone. Throws `UserError` when it outlives the timeout by a minute. */
export async function stopInstance(
  { clock, dataDir }: Pick<Context, 'clock' | 'dataDir'>,
  instance: Instance,
  { workloads, timeoutMs }: StopOptions,
): Promise<void> {
  if (workloads) writeFileSync(stopRequestFile(dataDir), JSON.stringify({ timeoutMs }))
  process.kill(instance.pid, 'SIGTERM')
  const end = clock.now() + timeoutMs + CLEAR_MS
  // The process is not our child: its end can only be seen by looking.
  while (isAlive(instance)) {
    if (clock.now() > end)
      throw new UserError(`the program (pid ${instance.pid}) did not stop`, afterAll(instance, dataDir))
    await sleep(clock, STEP_MS)
  }
  rmSync(stopRequestFile(dataDir), { force: true })
}
