/**
 * Composition root of the program that runs in the background: the whole cluster in one process. What it starts is one
 * list, ended in the reverse order.
 */
import { closeSync, existsSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { UpOptions } from '../cli/context.ts'
import { UserError } from '../cli/context.ts'
import { type Instance, instanceFile } from '../cli/instance.ts'
import { stopRequestFile } from '../cli/stop.ts'
import { writeFileAtomic } from '../lib/atomic-file.ts'
import { realClock } from '../lib/clock.ts'
import { processStartTime } from '../lib/process-start.ts'
import { networkClaims } from '../network/claim.ts'
import { type Capabilities, type Choice, chooseMode, detectCapabilities } from '../network/detect.ts'
import { isInside, startInside } from '../network/rootless/porter.ts'
import { startCore } from './core.ts'
import { openDataDir } from './data-dir.ts'
import { nodeArguments, type StartMessage } from './launch.ts'
import { createLogger } from './logger.ts'
import { programVersion } from './version.ts'

export interface ServeHooks {
  /** File descriptor of the log. */
  readonly log: number
  onPhase(phase: string): void
  onReady(instance: Instance): void
}

/** Why the mode is not a better one, for the program inside. */
const NOTES_ENV = 'TUTTI_NETWORK_NOTES'

/** Lower-case, as node names are. */
const nodeName = () =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'node'

/** The mode to run in: what was asked for, or the best that is possible and free. Throws `UserError`. */
async function chooseNetwork({ network, dataDir, runtime }: UpOptions): Promise<Choice> {
  // The porter outside has chosen already.
  if (isInside()) return { mode: 'rootless', notes: JSON.parse(process.env[NOTES_ENV] ?? '[]') }
  // Simulated pods send nothing, so nothing of this machine has to be touched for them; loopback is there everywhere.
  if (network === 'portable' || (network === 'auto' && runtime === 'simulated')) return { mode: 'portable', notes: [] }
  const found = await detectCapabilities()
  const owner = found.kernel.usable ? networkClaims().owner(dataDir) : undefined
  const kernel: Capabilities['kernel'] = owner
    ? { usable: false, reason: `the cluster in ${owner} has it` }
    : found.kernel
  try {
    return chooseMode(network === 'auto' ? undefined : network, { ...found, kernel })
  } catch (cause) {
    throw new UserError((cause as Error).message, 'Let tutti choose: --network auto.', { cause })
  }
}

/** Runs the program again inside the namespace of a rootless cluster, and lends it the machine's loopback. */
async function serveInside(json: string, options: UpOptions, { notes }: Choice): Promise<never> {
  openDataDir(options.dataDir, programVersion())
  const child = await startInside({
    dataDir: options.dataDir,
    command: process.execPath,
    args: [...nodeArguments(), 'daemon', json],
    env: { ...process.env, [NOTES_ENV]: JSON.stringify(notes) },
    stdio: ['ignore', 'inherit', 'inherit', 3],
  })
  closeSync(3)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const code = await new Promise<number>(resolve => child.once('exit', code => resolve(code ?? 1)))
  process.exit(code)
}

/** Waits for SIGINT or SIGTERM. */
const stopped = () =>
  new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
  })

/** Runs the cluster until it is told to stop. Rejects with a `UserError` when it cannot start. */
export async function serve(options: UpOptions, hooks: ServeHooks, choice?: Choice): Promise<void> {
  const { log, onPhase, onReady } = hooks
  const version = programVersion()
  const { dataDir } = options
  openDataDir(dataDir, version)
  const logger = createLogger(log)
  logger.info({ version, pid: process.pid, options }, 'starting')
  const stop = stopped()
  const network = choice ?? (await chooseNetwork(options))
  const core = await startCore({ options, network, version, nodeName: nodeName(), clock: realClock, logger, onPhase })
  const instance: Instance = {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    version,
    server: core.server,
    nodeName: core.nodeName,
    startedAt: new Date(realClock.now()).toISOString(),
    network: core.network,
    runtimes: core.runtimes,
    asked: { runtime: options.runtime, ...(options.runtimeEndpoint && { runtimeEndpoint: options.runtimeEndpoint }) },
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
    const choice = await chooseNetwork(options)
    if (choice.mode === 'rootless' && !isInside()) await serveInside(json, options, choice)
    const hooks: ServeHooks = {
      log: 1,
      onPhase: phase => tell({ phase }),
      onReady: instance => {
        tell({ ready: instance })
        open = false
      },
    }
    await serve(options, hooks, choice)
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
