/** GET with watch=true: what is there (when asked), then every change, then bookmarks, until the time is over. */
import { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { resourceExpired, type Status, StatusError, statusOf } from '../../api/machinery/status-error.ts'
import type { KindView } from '../registry/kind-view.ts'
import type { Watcher } from '../registry/watcher.ts'
import type { Answer, ServerRequest, ServerWatchEvent } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { tooLargeResourceVersion } from './list.ts'
import {
  badRevision,
  type ListOptions,
  listOptions,
  parseRevision,
  type Selection,
  selectionOf,
} from './list-options.ts'

/** A watch without timeoutSeconds ends after 30 to 60 minutes, so that clients spread over servers again. */
const MIN_TIMEOUT = 30 * 60_000
/** Once a minute a watcher learns how far it is, so that it can resume cheaply. */
const BOOKMARK_INTERVAL = 60_000

const INITIAL_END = 'k8s.io/initial-events-end'

/** A value that is not kept anywhere, as watchers take objects. */
const encoded = (value: object) => new Encoded(Buffer.from(JSON.stringify(value)), 0)

/** The object of a BOOKMARK: type and resourceVersion only. */
export function bookmark(kind: Kind, revision: number, initialEnd = false): ServerWatchEvent {
  const annotations = initialEnd ? { annotations: { [INITIAL_END]: 'true' } } : {}
  const metadata = { resourceVersion: String(revision), ...annotations }
  return { type: 'BOOKMARK', object: encoded({ kind: kind.kind, apiVersion: kind.apiVersion, metadata }) }
}

/** An event that ends a watch with a Status. */
const errorEvent = (status: Status): ServerWatchEvent => ({ type: 'ERROR', object: encoded(status) })

interface Start {
  /** Watch from here; undefined: from now. */
  readonly after: number | undefined
  /** Send what is there first. */
  readonly initial: boolean
}

function startOf(deps: HandlerDeps, options: ListOptions): Start {
  const asked = parseRevision(options.resourceVersion, badRevision)
  const current = deps.registry.revision()
  if (options.sendInitialEvents === true) {
    if (asked !== undefined && asked > current) throw tooLargeResourceVersion(asked, current)
    return { after: undefined, initial: true }
  }
  if (asked === undefined || asked === 0) return { after: undefined, initial: false }
  // A revision of the future is one that was lost with an unflushed write: the client must list again.
  if (asked > current) throw resourceExpired(`too old resource version: ${asked} (${current})`)
  return { after: asked, initial: false }
}

function initialEvents(of: KindView, selection: Selection): ServerWatchEvent[] {
  const { items } = of.cache.list({ namespace: selection.namespace })!
  const events: ServerWatchEvent[] = []
  for (const stored of items) {
    if (selection.name && stored.value.metadata?.name !== selection.name) continue
    // Converted where they are read: watchers take stored objects.
    if (!selection.matches || selection.matches(of.show(stored))) events.push({ type: 'ADDED', object: stored })
  }
  return events
}

function openWatcher(
  deps: HandlerDeps,
  request: ServerRequest,
  of: KindView,
  selection: Selection,
  start: Start,
): Watcher | undefined {
  const { matches, field, namespace, name } = selection
  const { converts } = of
  return of.cache.watch({
    scope: {
      namespace,
      name,
      ...(matches && { matches: converts ? object => matches(of.show(object)) : matches }),
    },
    after: start.after,
    ...(field && !converts && { field }),
    ...(!request.local && { defer: deps.pace }),
  })
}

const isChange = ({ type }: ServerWatchEvent) => type !== 'BOOKMARK' && type !== 'ERROR'

/** Events in the kind's own shape. Ends with an error where a webhook does not convert them. */
async function* shown(of: KindView, events: AsyncIterable<readonly ServerWatchEvent[]>) {
  for await (const batch of events) {
    try {
      await of.convert?.(batch.filter(isChange).map(event => event.object))
    } catch (error) {
      yield [errorEvent(statusOf(error))]
      return
    }
    yield batch.map(event => (isChange(event) ? { ...event, object: of.show(event.object) } : event))
  }
}

function armBookmarks(deps: HandlerDeps, kind: Kind, watcher: Watcher): () => void {
  let timer = deps.clock.after(BOOKMARK_INTERVAL, tick)
  let sent = deps.registry.revision()
  function tick() {
    const revision = deps.registry.revision()
    // An idle cluster does nothing: no news, no bookmark.
    if (revision !== sent) watcher.push([bookmark(kind, revision)])
    sent = revision
    timer = deps.clock.after(BOOKMARK_INTERVAL, tick)
  }
  return () => timer.cancel()
}

/** How long a watch lasts, in ms; undefined is for ever: watchers in this process have no reason to come again. */
function lifetime(deps: HandlerDeps, request: ServerRequest, { timeoutSeconds }: ListOptions): number | undefined {
  if (timeoutSeconds) return timeoutSeconds * 1000
  return request.local ? undefined : MIN_TIMEOUT * (1 + deps.random())
}

/** Answers a watch. */
export async function watch(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const options = listOptions(request, true)
  const of = deps.registry.view(kind)
  const selection = selectionOf(kind, request.info.namespace, options)
  let start: Start
  try {
    start = startOf(deps, options)
  } catch (error) {
    if (error instanceof StatusError && error.code === 410) return refused(error)
    throw error
  }
  if (of.convert && start.initial && selection.matches) {
    await of.convert(of.cache.list({ namespace: selection.namespace })!.items)
  }
  const watcher = openWatcher(deps, request, of, selection, start)
  if (!watcher) {
    return refused(resourceExpired(`too old resource version: ${start.after} (${of.cache.oldest()})`))
  }
  if (start.initial) {
    watcher.push(initialEvents(of, selection))
    if (options.allowWatchBookmarks && options.sendInitialEvents) {
      watcher.push([bookmark(kind, deps.registry.revision(), true)])
    }
  }
  const ms = lifetime(deps, request, options)
  const timer = ms ? deps.clock.after(ms, watcher.end) : undefined
  const disarm = options.allowWatchBookmarks && !request.local ? armBookmarks(deps, kind, watcher) : undefined
  watcher.onEnd(() => {
    timer?.cancel()
    disarm?.()
    request.signal.removeEventListener('abort', watcher.end)
  })
  if (request.signal.aborted) watcher.end()
  else request.signal.addEventListener('abort', watcher.end)
  return { status: 200, type: 'watch', events: of.converts ? shown(of, watcher.events) : watcher.events }
}

/** As upstream: the watch begins, with 200, and says in its only event that it cannot go on. */
function refused(error: StatusError): Answer {
  async function* events() {
    yield [errorEvent(error.status)]
  }
  return { status: 200, type: 'watch', events: events() }
}
