/**
 * A containerd of our own: started where none runs, found again after Tutti was away, started again when it dies.
 * It is no child of ours in any way that matters: containers live below their shims, and it below the machine's init.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { readJsonFile, writeFileAtomic } from '../../../lib/atomic-file.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import { processStartTime } from '../../../lib/process-start.ts'
import { containerdConfiguration, type Settings } from './configuration.ts'
import type { Programs } from './find.ts'

export interface SupervisorOptions {
  readonly programs: Programs
  readonly settings: Settings
  /** Its configuration, pid and log; DATA_DIR/containerd. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface Supervisor {
  /** It may have died: started again where that is so. */
  check(): void
  /** Ends it; what runs in containers is not touched. */
  stop(): Promise<void>
  /** Lets it run on, unwatched. */
  release(): void
}

/** First and longest wait before it is started again, and the time of good running after which counting begins anew. */
const RESTART_MS = 50
const RESTART_MAX_MS = 10_000
const FORGIVEN_MS = 60_000
/** It may take this long to end (ms). */
const STOP_MS = 10_000
const STEP_MS = 10
/** Its exit is heard of within this time after it is gone (ms). */
const REAP_MS = 1000
/** A log beyond this is emptied at the next start (bytes). */
const LOG_LIMIT = 10 * 1024 * 1024

interface Running {
  readonly pid: number
  /** Tells it from a later process of the same pid. */
  readonly start: string
  /** Which program it is. */
  readonly version: string
}

const pidFileIn = (directory: string) => join(directory, 'pid')

const alive = ({ pid, start }: Running) => processStartTime(pid) === start

function readRunning(file: string): Running | undefined {
  const found = readJsonFile<Running>(file)
  return found && alive(found) ? found : undefined
}

/** Ends one that may not be our child; `exited` resolves where it is one. */
async function end(running: Running, clock: Clock, exited?: Promise<void>) {
  const until = clock.elapsed() + STOP_MS
  process.kill(running.pid, 'SIGTERM')
  while (alive(running)) {
    if (clock.elapsed() > until) process.kill(running.pid, 'SIGKILL')
    // A timer that keeps the program alive: there may be nothing else left that does.
    await setTimeout(STEP_MS)
  }
  // So that no zombie of it is left to whoever comes after us.
  if (exited) await Promise.race([exited, setTimeout(REAP_MS)])
}

/** Ends the one of a directory that nobody watches; nothing to do where none runs. */
export async function endContainerd(directory: string, clock: Clock): Promise<void> {
  const running = readRunning(pidFileIn(directory))
  if (running) await end(running, clock)
}

/** Makes sure that one runs, of this program with these settings; one of another is replaced. */
export async function superviseContainerd(options: SupervisorOptions): Promise<Supervisor> {
  const { programs, settings, directory, clock, logger } = options
  const { layout } = settings
  const pidFile = pidFileIn(directory)
  const configFile = join(directory, 'config.toml')
  const logFile = join(directory, 'log')
  for (const folder of [directory, layout.root, layout.state, layout.registries])
    mkdirSync(folder, { recursive: true, mode: 0o711 })
  let running: Running | undefined
  let exited: Promise<void> | undefined
  let ended = false
  let wait = RESTART_MS
  let startedAt = 0
  let restarting = false

  function start() {
    if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT) truncateSync(logFile)
    // A socket that nobody listens on is in the way of the next.
    rmSync(layout.socket, { force: true })
    const log = openSync(logFile, 'a', 0o600)
    const { NOTIFY_SOCKET: _, ...env } = process.env
    const child: ChildProcess = spawn(programs.containerd, ['--config', configFile], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { ...env, PATH: programs.path },
    })
    closeSync(log)
    child.unref()
    child.on('error', error => logger.error({ err: error }, 'containerd could not be started'))
    exited = new Promise(resolve => child.on('exit', () => resolve()))
    void exited.then(check)
    startedAt = clock.elapsed()
    if (!child.pid) return
    running = { pid: child.pid, start: processStartTime(child.pid) ?? '', version: programs.version }
    writeFileAtomic(pidFile, JSON.stringify(running))
    logger.info({ pid: child.pid, version: programs.version }, 'containerd was started')
  }
  function check() {
    if (ended || restarting || (running && alive(running))) return
    restarting = true
    if (clock.elapsed() - startedAt > FORGIVEN_MS) wait = RESTART_MS
    logger.warn({ wait, log: logFile }, 'containerd has ended; it is started again')
    clock.after(wait, () => {
      restarting = false
      if (!ended) start()
    })
    wait = Math.min(wait * 2, RESTART_MAX_MS)
  }

  const text = containerdConfiguration(settings)
  const before = readFileSync(configFile, { flag: 'a+', encoding: 'utf8' })
  if (before !== text) writeFileAtomic(configFile, text)
  running = readRunning(pidFile)
  if (running && (before !== text || running.version !== programs.version)) {
    logger.info({ pid: running.pid }, 'containerd is replaced: its program or its configuration is another')
    await end(running, clock)
    running = undefined
  }
  if (running) logger.info({ pid: running.pid }, 'containerd was found running')
  else start()

  return {
    check,
    async stop() {
      ended = true
      if (running && alive(running)) await end(running, clock, exited)
      rmSync(pidFile, { force: true })
    },
    release() {
      ended = true
    },
  }
}
