/**
 * Composition root of the program that runs in the background: the whole cluster in one process. What it starts is one
 * list, ended in the reverse order.
 */
import { existsSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { UpOptions } from '../cli/context.ts'
import { UserError } from '../cli/context.ts'
import { type Instance, instanceFile, processStartTime } from '../cli/instance.ts'
import { stopRequestFile } from '../cli/stop.ts'
import { writeFileAtomic } from '../lib/atomic-file.ts'
import { realClock } from '../lib/clock.ts'
import { startCore } from './core.ts'
import { openDataDir } from './data-dir.ts'
import type { StartMessage } from './launch.ts'
import { createLogger } from './logger.ts'
import { programVersion } from './version.ts'

export interface ServeHooks {
  /** File descriptor of the log. */
  readonly log: number
  onPhase(phase: string): void
  onReady(instance: Instance): void
}

/** Lower-case, as node names are. */
const nodeName = () =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'node'

/** Waits for SIGINT or SIGTERM. */
const stopped = () =>
  new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })

/** Runs the cluster until it is told to stop. Rejects with a `UserError` when it cannot start. */
export async function serve(options: UpOptions, { log, onPhase, onReady }: ServeHooks): Promise<void> {
  const version = programVersion()
  const { dataDir } = options
  openDataDir(dataDir, version)
  const logger = createLogger(log)
  logger.info({ version, pid: process.pid, options }, 'starting')
  const stop = stopped()
  const core = await startCore({ options, version, nodeName: nodeName(), clock: realClock, logger, onPhase })
  const instance: Instance = {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    version,
    server: core.server,
    nodeName: core.nodeName,
    startedAt: new Date(realClock.now()).toISOString(),
    network: core.network,
    runtimes: core.runtimes,
    notes: core.notes,
  }
  rmSync(stopRequestFile(dataDir), { force: true })
  writeFileAtomic(instanceFile(dataDir), `${JSON.stringify(instance)}\n`)
  logger.info({ server: core.server }, 'ready')
  onReady(instance)

  const signal = await stop
  const request = stopRequestFile(dataDir)
  const workloads = existsSync(request)
  const timeoutMs = workloads ? Number(JSON.parse(readFileSync(request, 'utf8')).timeoutMs) : 0
  logger.info({ signal, workloads }, 'stopping')
  await core.stop({ workloads, timeoutMs })
  rmSync(instanceFile(dataDir), { force: true })
  rmSync(request, { force: true })
  logger.info({}, 'stopped')
}

/** `tutti daemon OPTIONS`: serves, and tells on descriptor 3 how the start goes. */
export async function runDaemon([json = '{}']: readonly string[]): Promise<void> {
  let open = true
  const tell = (message: StartMessage) => {
    try {
      if (open) writeSync(3, `${JSON.stringify(message)}\n`)
    } catch {
      // Nobody listens any more: `tutti up` was interrupted.
      open = false
    }
  }
  const options = JSON.parse(json) as UpOptions
  try {
    await serve(options, {
      log: 1,
      onPhase: phase => tell({ phase }),
      onReady: instance => {
        tell({ ready: instance })
        open = false
      },
    })
    process.exit(0)
  } catch (error) {
    const known = error instanceof UserError
    if (!known) writeFileSync(2, `${(error as Error).stack}\n`)
    tell({
      failed: {
        message: (error as Error).message,
        hint: (known && error.hint) || `The log: ${options.dataDir}/tutti.log`,
      },
    })
    process.exit(1)
  }
}
