/**
 * The main thread's end of the data plane's thread: what it is told is kept, so that one that dies is replaced by one
 * that knows the same. Requests have a core of their own this way, and the API server does not wait for them.
 */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { DataPlane, DataPlaneEvents, Delta } from '../data-plane.ts'
import { merge } from '../entries.ts'
import type { CountedElsewhere } from '../metrics.ts'
import type { Port, PortWish } from '../server/ports.ts'
import type { Order, PortName, PortState, Report, ThreadData } from './messages.ts'

export interface ThreadDeps extends ThreadData, DataPlaneEvents {
  readonly counted: CountedElsewhere
  readonly clock: Clock
  readonly logger: Logger
  readonly startThread?: (data: ThreadData) => Worker
  /** Where `hosts` are not said: comes by a listening socket of this process. Rejects with an error that has a `code`. */
  socket?(port: number): Promise<{ readonly fd: number; readonly port: number }>
}

/** The thread may hold this much, in MB, beside what is in sockets. */
const MEMORY = 512
/** A thread that dies is replaced at once, one that dies again soon after a while, in ms. */
const AGAIN_MS = 500
const AGAIN_MOST_MS = 30_000
/** One that has lived this long counts as sound, in ms. */
const SOUND_MS = 60_000

const entry = () =>
  import.meta.filename.endsWith('.ts')
    ? new URL('./entry.ts', import.meta.url)
    : new URL('./gateway-worker.js', import.meta.url)

/** Starts the thread itself. */
export const startWorker = (data: ThreadData): Worker =>
  new Worker(entry(), {
    workerData: data,
    execArgv: [],
    name: 'gateway',
    resourceLimits: { maxOldGenerationSizeMb: MEMORY },
  })

interface ThreadPort extends Port {
  /** It is to be open, as far as that can be had. */
  readonly wanted: boolean
  heard(state: PortState): void
  /** The thread is gone, and with it the port. */
  lost(): void
}

/** A port of the thread, as it was last heard of. */
function threadPort({ port }: PortWish, say: (order: 'open' | 'close') => boolean): ThreadPort {
  const none: PortState = { number: port, isOpen: false, why: undefined }
  let state = none
  let wanted = false
  let broken = false
  const waiting: (() => void)[] = []
  const settle = (next: PortState) => {
    state = next
    for (const each of waiting.splice(0)) each()
  }
  return {
    get wanted() {
      return wanted
    },
    number: () => state.number,
    isOpen: () => state.isOpen,
    why: () => (broken ? 'what served it has failed' : state.why),
    isBroken: () => broken,
    async open() {
      wanted = true
      if (state.isOpen || !say('open')) return
      await new Promise<void>(resolve => waiting.push(resolve))
    },
    close() {
      wanted = false
      broken = false
      say('close')
      settle(none)
    },
    heard(next) {
      if (!wanted) return
      broken = false
      settle(next)
    },
    lost() {
      broken = wanted
      settle(none)
    },
  }
}

/** Starts the thread. */
export function startDataPlane(deps: ThreadDeps): DataPlane {
  const {
    hosts,
    ports,
    trustedProxies,
    startThread = startWorker,
    socket,
    counted,
    clock,
    logger,
    changed,
    failed,
  } = deps
  const kept = { routes: new Map(), endpoints: new Map(), certificates: new Map() } as const
  let worker: Worker | undefined
  let closing = false
  let again = 0
  let ended: (() => void) | undefined
  let timer = { cancel() {} }

  const order = (what: Order): boolean => {
    worker?.postMessage(what)
    return worker !== undefined
  }
  const plain = threadPort(ports.http, type => order({ type, port: 'plain' }))
  const secure = threadPort(ports.https, type => order({ type, port: 'secure' }))
  const portsByName: Readonly<Record<PortName, ThreadPort>> = { plain, secure }

  async function lend({ id, port }: { readonly id: number; readonly port: number }) {
    try {
      if (!socket) throw new Error('there is no way to listen')
      order({ type: 'socket', id, ...(await socket(port)) })
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      order({ type: 'no socket', id, code, message })
    }
  }

  function hear(report: Report) {
    if (report.type === 'port') portsByName[report.port].heard(report)
    else if (report.type === 'numbers') counted.arrived(report.samples)
    else if (report.type === 'socket') void lend(report)
    else if (report.type === 'log') logger[report.level](report.fields, report.message)
    else ended?.()
  }

  function begin() {
    const own = startThread({ hosts, ports, trustedProxies })
    // What it listens with keeps the program as little as in this thread.
    own.unref()
    worker = own
    const since = clock.elapsed()
    let cause: unknown
    own.on('message', hear)
    own.on('error', error => (cause = error))
    own.on('exit', code => gone(cause ?? new Error(`exit code ${code}`), clock.elapsed() - since))
    counted.from(() => order({ type: 'count' }))
  }

  function gone(cause: unknown, livedMs: number) {
    worker = undefined
    counted.from(undefined)
    if (closing) return ended?.()
    if (livedMs >= SOUND_MS) again = 0
    logger.error({ err: cause, retryInMs: again }, 'the thread that carries requests ended: another one is started')
    for (const port of [plain, secure]) port.lost()
    failed((cause as Error).message)
    timer = clock.after(again, restart)
    again = Math.min(Math.max(again * 2, AGAIN_MS), AGAIN_MOST_MS)
  }

  /** Another thread, which knows all that the last one knew. */
  function restart() {
    begin()
    const delta: Delta = {
      routes: [...kept.routes],
      endpoints: [...kept.endpoints],
      certificates: [...kept.certificates],
    }
    order({ type: 'apply', delta })
    void Promise.all([plain, secure].map(port => port.wanted && port.open())).then(changed)
  }

  begin()
  return {
    plain,
    secure,
    apply(delta) {
      for (const name of ['routes', 'endpoints', 'certificates'] as const) merge(kept[name], delta[name] ?? [])
      if (Object.values(delta).some(entries => entries.length > 0)) order({ type: 'apply', delta })
    },
    async close(graceMs) {
      closing = true
      timer.cancel()
      const own = worker
      if (!own) return
      const done = new Promise<void>(resolve => (ended = resolve))
      // It is awaited.
      own.ref()
      order({ type: 'end', graceMs })
      await done
      await own.terminate()
    },
  }
}
