/**
 * Composition root of the program that runs in the background: the whole cluster in one process. What it starts is one
 * list, ended in the reverse order.
 */
import { closeSync, existsSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import type { NodeOptions, ProgramOptions, UpOptions } from '../cli/context.ts'
import { UserError } from '../cli/context.ts'
import { type Instance, instanceFile } from '../cli/instance.ts'
import { stopRequestFile } from '../cli/stop.ts'
import { writeFileAtomic } from '../lib/atomic-file.ts'
import { realClock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { processStartTime } from '../lib/process-start.ts'
import { giveBackSpareMemory, ownHeap } from '../lib/spare-memory.ts'
import { isMachineStopping } from '../lib/systemd.ts'
import { networkClaims, type Owner } from '../network/claim.ts'
import { type Capabilities, type Choice, chooseMode, detectCapabilities } from '../network/detect.ts'
import { findHolder, usersOf } from '../network/rootless/holder.ts'
import { isInside, startInside } from '../network/rootless/porter.ts'
import { type Core, startCore } from './core.ts'
import { openDataDir } from './data-dir.ts'
import { stayAwake } from './ends.ts'
import { type KeptOptions, withKept } from './kept-options.ts'
import { nodeArguments, type StartMessage } from './launch.ts'
import { createLogger } from './logger.ts'
import { nodeNameFor } from './node-name.ts'
import type { StopOptions } from './nodes.ts'
import { findUsers } from './users.ts'
import { programVersion } from './version.ts'
import { hasWorkloads } from './workloads.ts'

export interface ServeHooks {
  /** File descriptor of the log. */
  readonly log: number
  onPhase(phase: string): void
  onReady(instance: Instance): void
}

/** What workloads have when the machine goes down, ms: `TimeoutStopSec` of the unit, less what everything else takes. */
const MACHINE_MS = 60_000

/**
 * By what the program inside a rootless cluster hears that the machine goes down: systemd does not answer in there, as
 * who asks seems to be root, and is not.
 */
const MACHINE_STOPS = 'SIGPWR'

/** Why the mode is not a better one, for the program inside. */
const NOTES_ENV = 'TUTTI_NETWORK_NOTES'

/** Whose the network is, and what to do where that cluster is not needed. */
const ownedBy = ({ dataDir, runs }: Owner) =>
  runs
    ? `the cluster in ${dataDir} has it (where that is not needed: tutti down --data-dir ${dataDir})`
    : `what runs on of the cluster in ${dataDir} has it (where that is not needed: tutti delete --data-dir ${dataDir})`

/** The mode to run in: what was asked for, or the best that is possible and free. Throws `UserError`. */
async function chooseNetwork(options: ProgramOptions): Promise<Choice> {
  // Who only ends what runs needs none: another cluster may have it by now.
  if ('role' in options && options.alone) return { mode: 'kernel', notes: [] }
  // A node has to be reached by others, which only the kernel network gives.
  const { dataDir, network, runtime } =
    'role' in options ? { ...options, network: 'kernel' as const, runtime: 'auto' } : withKept(options)
  // The porter outside has chosen already.
  if (isInside()) return { mode: 'rootless', notes: JSON.parse(process.env[NOTES_ENV] ?? '[]') }
  // Simulated pods send nothing, so nothing of this machine has to be touched for them; loopback is there everywhere.
  if (network === 'portable' || (network === 'auto' && runtime === 'simulated')) return { mode: 'portable', notes: [] }
  const found = await detectCapabilities()
  const owner = found.kernel.usable ? networkClaims().owner(dataDir, hasWorkloads) : undefined
  // Nothing of a cluster lives whose network another one could take.
  if (owner && network === 'kernel' && 'ending' in options && options.ending) return { mode: 'portable', notes: [] }
  const kernel: Capabilities['kernel'] = owner ? { usable: false, reason: ownedBy(owner) } : found.kernel
  try {
    return chooseMode(network === 'auto' ? undefined : network, { ...found, kernel })
  } catch (cause) {
    const lacking = owner ? undefined : 'A node needs root, and what docs/network.md lists for the kernel mode.'
    const hint = 'role' in options ? lacking : 'Let tutti choose: --network auto.'
    throw new UserError((cause as Error).message, hint, { cause })
  }
}

/** Runs the program again inside the namespace of a rootless cluster, and lends it the machine's loopback. */
async function serveInside(json: string, options: ProgramOptions, { notes }: Choice): Promise<never> {
  openDataDir(options.dataDir, programVersion())
  const { dataDir } = options
  const standing = findHolder(dataDir)
  const { maps, note } = await findUsers(dataDir, standing && usersOf(standing))
  const child = await startInside({
    dataDir,
    users: maps,
    command: process.execPath,
    args: [...nodeArguments(), 'daemon', json],
    env: { ...process.env, [NOTES_ENV]: JSON.stringify([...notes, note]) },
    stdio: ['ignore', 'inherit', 'inherit', 3],
  })
  closeSync(3)
  process.on('SIGINT', () => child.kill('SIGINT'))
  process.on('SIGTERM', async () => child.kill((await isMachineStopping()) ? MACHINE_STOPS : 'SIGTERM'))
  const code = await new Promise<number>(resolve => child.once('exit', code => resolve(code ?? 1)))
  process.exit(code)
}

/** What a later start needs to find the same runtimes. */
const askedFor = ({ runtime, runtimeEndpoint }: KeptOptions) => ({
  runtime,
  ...(runtimeEndpoint && { runtimeEndpoint }),
})

/** For the log: a token is a secret. */
const withoutToken = (options: ProgramOptions) =>
  'role' in options && options.join ? { ...options, join: { ...options.join, token: '…' } } : options

/** Waits for a signal that ends the program. */
const stopped = () =>
  new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', MACHINE_STOPS] as const) process.once(signal, resolve)
  })

/** What becomes of the workloads: what `tutti down` has left word of, or what the machine does. */
async function wantedStop(request: string, signal: NodeJS.Signals): Promise<StopOptions> {
  if (existsSync(request))
    return { workloads: 'stop', timeoutMs: Number(JSON.parse(readFileSync(request, 'utf8')).timeoutMs) }
  if (signal === MACHINE_STOPS || (!isInside() && (await isMachineStopping())))
    return { workloads: 'end with machine', timeoutMs: MACHINE_MS }
  return { workloads: 'run on', timeoutMs: 0 }
}

/** Says that the program stops, so that nobody takes it for one that goes on. */
function noteEnding(instance: Instance, dataDir: string, logger: Logger): void {
  try {
    writeFileAtomic(instanceFile(dataDir), `${JSON.stringify({ ...instance, ending: true })}\n`)
  } catch (error) {
    // A full disk keeps nobody from ending.
    logger.warn({ err: error }, 'that the program stops could not be noted')
  }
}

/** Starts what the options ask for: a cluster, or a node of one. */
async function startProgram(
  options: NodeOptions | (UpOptions & KeptOptions),
  choice: Choice | undefined,
  deps: { readonly version: string; readonly logger: Logger; onPhase(phase: string): void },
): Promise<Core> {
  const nodeName = nodeNameFor(options.dataDir, options.nodeName)
  const network = choice ?? (await chooseNetwork(options))
  if (!('role' in options)) return startCore({ ...deps, options, network, nodeName, clock: realClock })
  if (options.alone) {
    const { openAlone } = await import('./node/alone.ts')
    return openAlone({ ...deps, dataDir: options.dataDir, clock: realClock })
  }
  const { startNodeProgram } = await import('./node/start.ts')
  return startNodeProgram({ ...deps, options, nodeName, clock: realClock })
}

/** Runs the program until it is told to stop. Rejects with a `UserError` when it cannot start. */
export async function serve(asked: ProgramOptions, hooks: ServeHooks, choice?: Choice): Promise<void> {
  // Node's slabs of 64 KB stay whole while one object of a few is kept: 7 MB after 80 pods have come and gone.
  Buffer.poolSize = 8192
  const { log, onPhase, onReady } = hooks
  const version = programVersion()
  const { dataDir } = asked
  const options = 'role' in asked ? asked : withKept(asked)
  openDataDir(dataDir, version)
  const logger = createLogger(log)
  logger.info({ version, pid: process.pid, options: withoutToken(options) }, 'starting')
  const stop = stopped()
  const core = await startProgram(options, choice, { version, logger, onPhase })
  const instance: Instance = {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    version,
    server: core.server,
    nodeName: core.nodeName,
    ...('role' in options && { role: options.role }),
    startedAt: new Date(realClock.now()).toISOString(),
    network: core.network,
    runtimes: core.runtimes,
    ...(!('role' in options) && { asked: askedFor(options) }),
    notes: core.notes,
  }
  rmSync(stopRequestFile(dataDir), { force: true })
  writeFileAtomic(instanceFile(dataDir), `${JSON.stringify(instance)}\n`)
  logger.info({ server: core.server }, 'ready')
  onReady(instance)
  const resting = new AbortController()
  giveBackSpareMemory(ownHeap, realClock, resting.signal)

  const signal = await stop
  resting.abort()
  noteEnding(instance, dataDir, logger)
  const request = stopRequestFile(dataDir)
  const how = await wantedStop(request, signal)
  logger.info({ signal, ...how }, 'stopping')
  // Timers hold nothing, and neither does a runtime that is away.
  const letGo = stayAwake()
  await core.stop(how)
  letGo()
  writeFileAtomic(instanceFile(dataDir), `${JSON.stringify({ ...instance, ended: true })}\n`)
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
  const options = JSON.parse(json) as ProgramOptions
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
