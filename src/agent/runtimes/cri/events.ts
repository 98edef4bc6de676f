/**
 * News of containers and sandboxes from the runtime's own event stream: CRI's `GetContainerEvents` where the runtime has
 * it, else containerd's event service. Nothing is asked again and again: the stream says what to read.
 */
import { type Clock, sleep } from '../../../lib/clock.ts'
import { CallError, type Channel, CODE } from '../../../lib/grpc/channel.ts'
import type { Logger } from '../../../lib/log.ts'
import { CONTAINER_STOPPED, taskDelete, taskExit } from './messages.ts'
import { containerdEvents, criEvents } from './services.ts'

export interface EventDeps {
  readonly channel: Channel
  readonly clock: Clock
  readonly logger: Logger
  /** Something happened to this container or sandbox; `ended`: its main process is gone. */
  seen(id: string, ended: boolean): void
  /** The stream stands, or stands again: what happened before is not told. */
  connected(): Promise<void>
  /** The stream broke: the runtime is away. */
  lost(): void
}

/** First and longest wait before the stream is opened again, in ms. */
const RETRY_MS = 20
const RETRY_MAX_MS = 1000
/** The runtime joins us to its events a moment after it took the call: what fell between is read then. */
const SETTLE_MS = 200

interface News {
  readonly id: string
  readonly ended: boolean
}

/** CRI's own stream. */
async function* fromCri({ channel }: EventDeps, signal: AbortSignal): AsyncGenerator<News> {
  for await (const event of criEvents(channel, signal)) {
    yield { id: event.containerId, ended: event.type === CONTAINER_STOPPED }
  }
}

/** containerd's task events, all of them ends; those of further processes (exec) are not told. */
async function* fromContainerd({ channel }: EventDeps, signal: AbortSignal): AsyncGenerator<News> {
  for await (const { topic, event } of containerdEvents(channel, signal)) {
    if (!event) continue
    const { containerId, id } = (topic === '/tasks/delete' ? taskDelete : taskExit).decode(event.value)
    if (id === '' || id === containerId) yield { id: containerId, ended: true }
  }
}

/** Follows events until `signal` aborts; opens the stream again whenever it breaks. Never rejects. */
export async function followEvents(deps: EventDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger, seen, connected, lost } = deps
  let source = fromCri
  let wait = RETRY_MS
  const settled = async (scope: AbortSignal) => {
    await connected()
    await sleep(clock, SETTLE_MS, scope)
    if (!scope.aborted) await connected()
  }
  while (!signal.aborted) {
    const scope = new AbortController()
    const end = () => scope.abort()
    signal.addEventListener('abort', end, { once: true })
    const settling = settled(scope.signal).then(
      () => {
        wait = RETRY_MS
      },
      () => end(),
    )
    let broke: unknown
    try {
      for await (const { id, ended } of source(deps, scope.signal)) seen(id, ended)
    } catch (error) {
      broke = error
    }
    end()
    signal.removeEventListener('abort', end)
    await settling
    if (signal.aborted) return
    if (broke instanceof CallError && broke.code === CODE.unimplemented && source === fromCri) {
      source = fromContainerd
      continue
    }
    logger.info({ err: broke }, 'the event stream of the container runtime ended; opening it again')
    lost()
    await sleep(clock, wait, signal)
    wait = Math.min(wait * 2, RETRY_MAX_MS)
  }
}
