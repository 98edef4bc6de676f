/**
 * Hears of the machine's shutdown from systemd-logind, and holds it up meanwhile
 * (https://systemd.io/INHIBITOR_LOCKS/): a lock of the kind `delay` is taken, `PrepareForShutdown` is waited for, and
 * what is to be done is done before the lock is let go. The bus is spoken to by systemd's own programs, which are on
 * every machine that has logind: a lock is a file descriptor that comes over the bus, which Node cannot receive.
 */
import { createBackOff } from '../../client/back-off.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Programs, Running } from './programs.ts'
import type { ShutdownListener, ShutdownSource } from './source.ts'

export interface LogindDeps {
  readonly programs: Programs
  /** How long the machine is to wait, ms. */
  readonly delayMs: number
  /** Lets logind wait so long at most, as the owner of the machine would: written to its configuration. */
  allowDelay(ms: number): Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

const LOGIND = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'] as const
const [SENDER, PATH, INTERFACE] = LOGIND
/** From logind alone: anybody may send a signal of that name. */
const MATCH = `type='signal',sender='${SENDER}',path='${PATH}',interface='${INTERFACE}',member='PrepareForShutdown'`
/** Says when it has the lock, and holds it as long as our end of its input is open. */
const HOLD = 'echo held; exec cat'
/** Runs a program that does not look at its input until that ends, or it does. */
const WHILE_OPEN = `exec 3<&0
"$@" </dev/null & program=$!
{ cat <&3 >/dev/null; kill $program; } & reader=$!
wait $program; code=$?
kill $reader
exit $code`

/** It reads its configuration a moment after it was told to: tries, and the first wait between them, ms. */
const READ_TRIES = 5
const READ_MS = 100
const AGAIN_MS = 1000
const AGAIN_MAX_MS = 600_000

/** A source that follows logind. Where that is not possible it says why in the log, and tries again more and more rarely. */
export function logindSource(deps: LogindDeps): ShutdownSource {
  const { clock, logger } = deps
  return {
    follow(listener, signal) {
      const again = createBackOff(AGAIN_MS, AGAIN_MAX_MS)
      const run = async () => {
        while (!signal.aborted) {
          try {
            await followOnce(deps, listener, signal, again.reset)
          } catch (error) {
            if (!signal.aborted)
              logger.warn({ err: error }, 'shutdowns of the machine cannot be heard of; trying again')
          }
          await sleep(clock, again.next(), signal)
        }
      }
      void run()
    },
  }
}

/** Follows until it cannot any more, or `signal` aborts. */
async function followOnce(deps: LogindDeps, listener: ShutdownListener, signal: AbortSignal, heard: () => void) {
  const { programs, logger } = deps
  await provideDelay(deps)
  if (signal.aborted) return
  let lock: Running | undefined = await hold(programs, signal)
  const release = () => {
    lock?.end()
    lock = undefined
  }
  let turn = 0
  async function take(isShuttingDown: boolean) {
    const own = ++turn
    if (isShuttingDown) {
      await listener.begins()
      if (own === turn) release()
    } else {
      listener.cancelled()
      lock ??= await hold(programs, signal)
    }
  }
  const taken = (isShuttingDown: boolean) =>
    void take(isShuttingDown).catch(error => logger.error({ err: error }, 'a shutdown of the machine went wrong'))
  const listen = ['busctl', 'monitor', '--system', '--json=short', `--match=${MATCH}`]
  const monitor = programs.start('sh', ['-c', WHILE_OPEN, 'sh', ...listen], line => {
    const isShuttingDown = readSignal(line)
    if (isShuttingDown !== undefined) taken(isShuttingDown)
  })
  const stop = () => monitor.end()
  signal.addEventListener('abort', stop, { once: true })
  try {
    // What was said before we listened.
    if ((await property(programs, 'PreparingForShutdown')) === 'b true') taken(true)
    heard()
    await monitor.ended
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    release()
  }
}

/** What a line of `busctl monitor` says of it; undefined: something else. */
function readSignal(line: string): boolean | undefined {
  try {
    const { member, payload } = JSON.parse(line)
    const [value] = payload.data
    return member === 'PrepareForShutdown' && typeof value === 'boolean' ? value : undefined
  } catch {
    return undefined
  }
}

/** A value as busctl writes it: `t 5000000`. */
const property = async (programs: Programs, name: string): Promise<string> =>
  (await programs.run('busctl', ['get-property', '--system', ...LOGIND, name])).trim()

/** How long it waits for locks, ms. */
async function longestDelay(programs: Programs): Promise<number> {
  const said = await property(programs, 'InhibitDelayMaxUSec')
  const microseconds = Number(/^t (\d+)$/.exec(said)?.[1])
  if (Number.isNaN(microseconds)) throw new Error(`logind says ${JSON.stringify(said)} where a time is expected`)
  return microseconds / 1000
}

/** Makes logind wait as long as is wanted. Where it will not, that is said, and its own time is used. */
async function provideDelay({ programs, delayMs, allowDelay, clock, logger }: LogindDeps): Promise<void> {
  let allowedMs = await longestDelay(programs)
  if (allowedMs >= delayMs) return
  // On a machine whose configuration cannot be written, some pods have less time, and the others all of theirs.
  await allowDelay(delayMs).catch(error => logger.warn({ err: error }, 'logind could not be told to wait longer'))
  const waits = createBackOff(READ_MS, AGAIN_MAX_MS)
  for (let tries = 0; allowedMs < delayMs && tries < READ_TRIES; tries++) {
    await sleep(clock, waits.next())
    allowedMs = await longestDelay(programs)
  }
  if (allowedMs < delayMs)
    logger.warn(
      { wantedMs: delayMs, allowedMs },
      'the machine will not wait for all pods: logind.conf, InhibitDelayMaxSec',
    )
}

/** Takes the lock. Rejects where logind does not give it. */
async function hold(programs: Programs, signal: AbortSignal): Promise<Running> {
  const held = Promise.withResolvers<void>()
  const what = ['--what=shutdown', '--mode=delay', '--who=tutti', '--why=Pods are ended in order']
  const lock = programs.start('systemd-inhibit', [...what, 'sh', '-c', HOLD], () => held.resolve())
  const end = () => lock.end()
  signal.addEventListener('abort', end, { once: true })
  void lock.ended
    .then(
      () => held.reject(new Error('systemd-inhibit ended')),
      error => held.reject(error),
    )
    .finally(() => signal.removeEventListener('abort', end))
  await held.promise
  return lock
}
