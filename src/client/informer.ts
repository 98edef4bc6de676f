/**
 * An informer: lists a kind, then follows its watch, and hands on every change in order. It resumes at the revision
 * it has when a watch ends, lists again when the server has forgotten that revision (410), and waits longer after
 * each failure. There is no resync and no timer while the watch stands.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { StatusError, type StatusLike } from '../api/machinery/status-error.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { createBackOff } from './back-off.ts'
import { type Client, createClient } from './client.ts'
import { type ChangeHandler, type Informer, type InformerOptions, keyOf } from './informer-types.ts'
import { createObjectCache } from './object-cache.ts'
import { type Resource, revisionOf } from './resource.ts'
import type { Transport, WatchEvent } from './transport.ts'

export interface InformerDeps {
  readonly clock: Clock
  readonly logger: Logger
}

/** An informer that takes further indexes while it runs. */
export interface GrowingInformer<T extends KubeObject> extends Informer<T> {
  /** Throws when another function has that name. */
  addIndex(name: string, values: (object: T) => readonly string[]): void
  /**
   * Lists again now, beside the watch: for when it is not known whether a write happened. Resolves when the cache is
   * as new as this call; rejects when the list fails.
   */
  refresh(): Promise<void>
  /** Tells handlers that everything has gone. For the end of a kind: the informer is of no use afterwards. */
  clear(): void
}

/** First and longest wait after a failure, ms (as client-go's reflector). */
const BACK_OFF_MS = 100
const BACK_OFF_MAX_MS = 30_000
/** A watch that stood this long was a good one, ms. */
const STANDING_MS = 1_000

const isExpired = (error: unknown) => error instanceof StatusError && (error.code === 410 || error.reason === 'Expired')

/** Starts an informer, which runs until `signal` aborts. `resource` may be any Kind. */
export function createInformer<T extends KubeObject>(
  source: Client | Transport,
  resource: Resource<T>,
  options: InformerOptions<T>,
  deps: InformerDeps,
  signal: AbortSignal,
): GrowingInformer<T> {
  const client = (typeof source === 'function' ? createClient(source) : source).kind(resource)
  const { indexes, ...selection } = options
  const logger = deps.logger.child({ informer: resource.plural })
  const cache = createObjectCache<T>(indexes)
  const handlers = new Set<ChangeHandler<T>>()
  let revision = 0
  /** Events up to here came with a list already. */
  let listed = 0
  let isSynced = false
  let waiting: { readonly revision: number; resolve(): void }[] = []
  let markSynced!: () => void
  const synced = new Promise<void>(resolve => {
    markSynced = resolve
  })

  function notify(previous: T | undefined, current: T | undefined) {
    for (const handler of handlers) tell(handler, previous, current)
  }
  function tell(handler: ChangeHandler<T>, previous: T | undefined, current: T | undefined) {
    try {
      handler({ previous, current })
    } catch (error) {
      logger.error({ err: error }, 'a handler of changes failed')
    }
  }
  function advance(to: number) {
    if (to <= revision) return
    revision = to
    if (waiting.length === 0) return
    const ready = waiting.filter(each => each.revision <= to)
    if (ready.length === 0) return
    waiting = waiting.filter(each => each.revision > to)
    for (const each of ready) each.resolve()
  }
  function store(object: T, removed: boolean) {
    const key = keyOf(object)
    const known = cache.get(key)
    // After a relist the same change may come once more.
    if (known && revisionOf(object) < revisionOf(known)) return
    const previous = cache.set(key, removed ? undefined : object)
    if (previous || !removed) notify(previous, removed ? undefined : object)
  }

  async function relist() {
    const list = await client.list(selection)
    const at = revisionOf(list as KubeObject)
    // The watch was faster: it knows all of this, and what came after.
    if (signal.aborted || (isSynced && at <= revision)) return
    const gone = new Set(cache.keys())
    for (const object of list.items) {
      const key = keyOf(object)
      gone.delete(key)
      const known = cache.get(key)
      if (known && known.metadata?.uid !== object.metadata?.uid) store(known, true)
      if (known?.metadata?.resourceVersion !== object.metadata?.resourceVersion) store(object, false)
    }
    for (const key of gone) notify(cache.set(key, undefined), undefined)
    listed = at
    advance(at)
    isSynced = true
    markSynced()
  }

  function apply(event: WatchEvent<T>) {
    if (event.type === 'ERROR') throw StatusError.from(event.object as unknown as StatusLike)
    if (revisionOf(event.object) <= listed) return
    if (event.type !== 'BOOKMARK') store(event.object, event.type === 'DELETED')
    advance(revisionOf(event.object))
  }

  /** Follows one watch to its end; true when it brought anything or stood for a while. */
  async function follow(): Promise<boolean> {
    let useful = false
    const start = deps.clock.now()
    const scope = new AbortController()
    const end = () => scope.abort()
    signal.addEventListener('abort', end, { once: true })
    try {
      const watch = { ...selection, resourceVersion: String(revision), bookmarks: true, signal: scope.signal }
      for await (const batch of await client.watch(watch)) {
        if (signal.aborted) break
        for (const event of batch) apply(event)
        useful ||= batch.length > 0
      }
      return useful || deps.clock.now() - start > STANDING_MS
    } finally {
      signal.removeEventListener('abort', end)
      scope.abort()
    }
  }

  async function run() {
    const backOff = createBackOff(BACK_OFF_MS, BACK_OFF_MAX_MS)
    let isListed = false
    while (!signal.aborted) {
      try {
        if (!isListed) await relist()
        isListed = true
        if (await follow()) backOff.reset()
        else if (!signal.aborted) await sleep(deps.clock, backOff.next(), signal)
      } catch (error) {
        if (signal.aborted) break
        if (isExpired(error) && isListed) {
          isListed = false
          continue
        }
        const ms = backOff.next()
        logger.warn({ err: error, retryInMs: ms }, isListed ? 'the watch failed' : 'the list failed')
        await sleep(deps.clock, ms, signal)
      }
    }
    for (const each of waiting) each.resolve()
    waiting = []
    markSynced()
  }
  void run()

  return {
    get: cache.get,
    list: cache.list,
    byIndex: cache.byIndex,
    addIndex: cache.addIndex,
    revision: () => revision,
    onChange(handler) {
      handlers.add(handler)
      if (isSynced) for (const object of cache.list()) tell(handler, undefined, object)
      return () => void handlers.delete(handler)
    },
    synced: () => synced,
    refresh: relist,
    clear() {
      for (const key of [...cache.keys()]) notify(cache.set(key, undefined), undefined)
    },
    reached(wanted) {
      if (wanted <= revision || signal.aborted) return Promise.resolve()
      return new Promise(resolve => void waiting.push({ revision: wanted, resolve }))
    },
  }
}
