/**
 * Events are kept for a while after they were last written, and then go. All of them share one timer, set for the one
 * that goes next; as each is kept for as long as any other, the order of writing is the order of going.
 */
import type { Event } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { MASTERS } from '../authorization/authorizers.ts'
import type { Registry } from '../registry/registry.ts'

/** As upstream: an hour. */
export const EVENT_TTL = 3_600_000

/** Deletes that are under way together. */
const BATCH = 100

const context = { user: { name: 'system:apiserver', groups: [MASTERS] }, fieldManager: 'kube-apiserver' }

interface Kept {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly due: number
}

/** When it was last written, as far as it says itself. */
function lastWritten({ metadata, lastTimestamp, eventTime, series }: Event): number {
  const times = [metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime]
  return Math.max(0, ...times.map(each => parseTime(each) ?? 0))
}

/** Begins; returns what ends it. Nothing happens while there are no events. */
export function expireEvents(
  registry: Registry,
  { clock, logger, ttl = EVENT_TTL }: { clock: Clock; logger: Logger; ttl?: number },
): () => void {
  const kind = registry.kind('v1/events')
  if (!kind) return () => {}
  const events = registry.reader(kind)
  /** In the order in which they go. */
  const kept = new Map<string, Kept>()
  let timer: Timer | undefined
  let closed = false

  function keep({ metadata }: Event, due: number) {
    const { namespace = '', name = '', uid = '' } = metadata
    const key = `${namespace}/${name}`
    kept.delete(key)
    kept.set(key, { namespace, name, uid, due })
  }

  async function remove({ namespace, name, uid }: Kept): Promise<void> {
    try {
      await registry.delete(kind!, { namespace, name }, { preconditions: { uid } }, context)
    } catch (error) {
      // It has gone already, or is another one by now.
      if (!(error instanceof StatusError))
        logger.error({ err: error, namespace, name }, 'an event could not be removed')
    }
  }

  function arm() {
    const [next] = kept.values()
    if (!next || timer || closed) return
    timer = clock.after(Math.max(0, next.due - clock.now()), () => void sweep())
  }

  async function sweep() {
    const now = clock.now()
    const due: Kept[] = []
    for (const each of kept.values()) {
      if (each.due > now || due.length === BATCH) break
      due.push(each)
    }
    for (const { namespace, name } of due) kept.delete(`${namespace}/${name}`)
    await Promise.all(due.map(remove))
    timer = undefined
    arm()
  }

  const known = events.list().map(each => each.value as Event)
  const aged = known.map(event => ({ event, due: lastWritten(event) + ttl })).sort((a, b) => a.due - b.due)
  for (const { event, due } of aged) keep(event, due)
  const end = events.onChange((previous, current) => {
    if (current) keep(current.value as Event, clock.now() + ttl)
    else if (previous) kept.delete(`${previous.value.metadata?.namespace ?? ''}/${previous.value.metadata?.name ?? ''}`)
    arm()
  })
  arm()
  return () => {
    closed = true
    timer?.cancel()
    end()
  }
}
