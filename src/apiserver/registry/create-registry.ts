/** The generic registry over the store and its watch caches. */
import { Encoded, encodeForStore, stampRevision } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import {
  alreadyExists,
  conflict,
  generateNameConflict,
  notFound,
  unexplained,
} from '../../api/machinery/status-error.ts'
import { cloneJson, equalJson } from '../../lib/json.ts'
import type { CommitResult, Op, Store } from '../../store/store.ts'
import type { AdmissionAttributes } from '../admission/plugin.ts'
import { type CacheFeed, loadInto } from './cache-feed.ts'
import { isFinished, planDeletion } from './deletion.ts'
import type { KindTable } from './kind-table.ts'
import { type KindView, kindViews } from './kind-view.ts'
import { generateName } from './metadata.ts'
import { admitDelete, finishCreate, judgedAs, type PrepareDeps, prepareCreate, prepareUpdate } from './prepare.ts'
import type { DeleteOptions, DeleteResult, ObjectRef, Registry, WriteContext } from './registry.ts'
import { resourceOf, storeKey } from './store-key.ts'
import { isMarkedFirst } from './traits.ts'
import { type CacheList, type CacheListOptions, createWatchCache } from './watch-cache.ts'

export interface RegistryDeps extends PrepareDeps {
  readonly store: Store
  readonly feed: CacheFeed
  readonly kinds: KindTable
  readonly random: () => number
  /** Whether what is stored at a key is to be written again though nothing in it differs. */
  isStale?(key: string): boolean
}

/** The registry and what only the server's own handlers need of it. */
export interface ServerRegistry extends Registry {
  view(kind: Kind): KindView
  /** Loads the objects of a kind that is to be served; then it can be set without waiting. */
  openKind(kind: Kind): Promise<void>
  /** Serves a kind that was opened, or a new form of it. */
  setKind(kind: Kind): void
  /** Ends all watches of a kind's resource: its objects take another form. Their clients come back. */
  endWatches(kind: Kind): void
  /** Must be awaited before the object is read with `get` or a reader: a webhook may convert it. */
  prepare(kind: Kind, ref: ObjectRef): Promise<void> | undefined
  /** Lists of revisions before it have expired, for every kind alike, whatever a cache still knows. */
  compactedRevision(): number
  /** A list at a revision that the cache has forgotten. Throws StoreError 'compacted'. */
  history(of: KindView, options: CacheListOptions): Promise<CacheList>
}

/** Tries to find a free generated name. */
const NAME_ATTEMPTS = 8

/** As upstream says it: 500, without a reason. */
const versionOnCreate = () => unexplained('resourceVersion should not be set on objects to be created')

/** Makes the registry. */
export function createRegistry(given: RegistryDeps): ServerRegistry {
  const { store, feed, kinds } = given
  const view = kindViews(kinds, feed)
  const deps: RegistryDeps = {
    ...given,
    labelsOf(namespace) {
      const kind = kinds.get('v1/namespaces')
      return kind && view(kind).reader.get('', namespace)?.value.metadata?.labels
    },
  }

  /** The stored object as it is after a commit of ours. */
  async function committed(of: KindView, ref: ObjectRef, bytes: Buffer, revision: number): Promise<Encoded> {
    const cached = of.cache.get(ref.namespace, ref.name)
    const stored = cached?.revision === revision ? cached : new Encoded(stampRevision(bytes, revision), revision)
    if (of.convert) await of.convert([stored])
    return of.show(stored)
  }
  /** What a dry run answers with: the object with the revision it had, or none. */
  function imagined(object: KubeObject, revision: number): Encoded {
    const bytes = encodeForStore(object)
    if (revision) return new Encoded(stampRevision(bytes, revision), revision)
    const { resourceVersion: _, ...metadata } = object.metadata ?? {}
    return new Encoded(Buffer.from(JSON.stringify({ ...object, metadata })), 0)
  }
  const commit = (kind: Kind, op: Op): Promise<CommitResult> => store.commit([op], kind.durability)

  /** Must be awaited before a single object is read where a webhook converts. */
  function prepare(kind: Kind, ref: ObjectRef): Promise<void> | undefined {
    const { convert, cache } = view(kind)
    const stored = convert && cache.get(ref.namespace, ref.name)
    return stored && convert([stored])
  }

  function get(kind: Kind, ref: ObjectRef): Encoded {
    const object = view(kind).reader.get(ref.namespace, ref.name)
    if (!object) throw notFound(kind, ref.name)
    return object
  }

  /** One attempt to put a prepared object under its name; undefined when the name is taken. */
  async function insert(
    kind: Kind,
    object: KubeObject,
    empties: boolean,
    context: WriteContext,
  ): Promise<Encoded | undefined> {
    const of = view(kind)
    const ref = { namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '' }
    const hooks = deps.hooks(kind)
    await hooks?.beforeCreate?.(object, context)
    let admitted: AdmissionAttributes | undefined
    let made = false
    try {
      admitted = await finishCreate(deps, kind, object, empties, context)
      if (of.cache.get(ref.namespace, ref.name)) return fail()
      if (context.dryRun) {
        hooks?.onFailure?.(object, undefined)
        return imagined(object, 0)
      }
      const value = encodeForStore(await of.store(object), context.owned)
      const key = storeKey(of.resource, ref.namespace, ref.name)
      const result = await commit(of.storage, { type: 'put', key, value, expect: 0 })
      made = result.ok
      return result.ok ? await committed(of, ref, value, result.revision) : fail()
    } catch (error) {
      hooks?.onFailure?.(object, undefined)
      throw error
    } finally {
      if (admitted) deps.admission.settle(admitted, made)
    }
    function fail() {
      hooks?.onFailure?.(object, undefined)
      return undefined
    }
  }

  async function create(kind: Kind, namespace: string, object: KubeObject, context: WriteContext): Promise<Encoded> {
    if (object.metadata?.resourceVersion) throw versionOnCreate()
    const { next, empties } = await prepareCreate(deps, kind, namespace, object, context)
    const { metadata } = next
    const base = metadata.name ? undefined : metadata.generateName
    for (let attempt = 1; ; attempt++) {
      if (base) metadata.name = generateName(base, deps.random)
      const created = await insert(kind, base ? cloneJson(next) : next, empties, context)
      if (created) return created
      if (!base) throw alreadyExists(kind, metadata.name ?? '')
      if (attempt === NAME_ATTEMPTS) throw generateNameConflict(kind, metadata.name ?? '')
    }
  }

  async function remove(of: KindView, ref: ObjectRef, stored: Encoded): Promise<boolean> {
    const key = storeKey(of.resource, ref.namespace, ref.name)
    const result = await commit(of.storage, { type: 'delete', key, expect: stored.revision })
    if (result.ok) deps.hooks(of.storage)?.afterDelete?.(stored.value)
    return result.ok
  }

  /** One attempt to write `next` over `old`; undefined when someone else was faster. */
  async function replace(
    kind: Kind,
    ref: ObjectRef,
    next: KubeObject,
    old: Encoded,
    context: WriteContext,
  ): Promise<Encoded | undefined> {
    const of = view(kind)
    const stored = of.cache.get(ref.namespace, ref.name)
    if (stored?.revision !== old.revision) return undefined
    const key = storeKey(of.resource, ref.namespace, ref.name)
    if (equalJson(next, old.value) && of.isCurrent(stored) && !deps.isStale?.(key)) return old
    const finished = isFinished(kind, next, old.value)
    if (context.dryRun) return imagined(next, old.revision)
    if (finished) return (await remove(of, ref, stored)) ? imagined(next, old.revision) : undefined
    const value = encodeForStore(await of.store(next), context.owned)
    const result = await commit(of.storage, { type: 'put', key, value, expect: old.revision })
    return result.ok ? await committed(of, ref, value, result.revision) : undefined
  }

  async function update(
    kind: Kind,
    ref: ObjectRef,
    change: Parameters<Registry['update']>[2],
    context: WriteContext,
  ): Promise<Encoded> {
    const hooks = deps.hooks(kind)
    for (;;) {
      await prepare(kind, ref)
      const old = get(kind, ref)
      const copy = cloneJson(old.value)
      const changed = (await change(copy)) ?? copy
      const { next, attributes } = await prepareUpdate(deps, kind, changed, old, context)
      let done: Encoded | undefined
      try {
        done = await replace(kind, ref, next, old, context)
      } finally {
        const made = done !== undefined && !context.dryRun
        if (!made) hooks?.onFailure?.(next, old.value)
        if (attributes) deps.admission.settle(attributes, made)
      }
      if (done) return done
    }
  }

  function checkPreconditions(kind: Kind, ref: ObjectRef, old: KubeObject, { preconditions }: DeleteOptions) {
    const { uid, resourceVersion } = old.metadata ?? {}
    if ((isMarkedFirst(kind) || kind.beginDeletion) && preconditions) {
      // As of any other update.
      for (const [name, wanted, found] of [
        ['UID', preconditions.uid, uid],
        ['ResourceVersion', preconditions.resourceVersion, resourceVersion],
      ]) {
        if (wanted === undefined || wanted === found) continue
        const what = `Precondition failed: ${name} in precondition: ${wanted}, ${name} in object meta: ${found}`
        throw conflict(kind, ref.name, what)
      }
    }
    const of = { group: judgedAs(kind).group, plural: kind.kind }
    if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
      throw conflict(
        of,
        ref.name,
        `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      )
    }
    if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
      throw conflict(
        of,
        ref.name,
        `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
      )
    }
  }

  async function del(kind: Kind, ref: ObjectRef, options: DeleteOptions, context: WriteContext): Promise<DeleteResult> {
    await prepare(kind, ref)
    await admitDelete(deps, kind, ref, get(kind, ref).value, context)
    const of = view(kind)
    for (;;) {
      await prepare(kind, ref)
      const old = get(kind, ref)
      checkPreconditions(kind, ref, old.value, options)
      const plan = planDeletion(kind, old.value, options, deps.now())
      if (plan.type === 'pending') return { object: old, gone: false }
      if (plan.type === 'remove') {
        const stored = of.cache.get(ref.namespace, ref.name)
        if (context.dryRun || (stored?.revision === old.revision && (await remove(of, ref, stored)))) {
          return { object: plan.object ? imagined(plan.object, old.revision) : old, gone: true }
        }
      } else {
        const object = await replace(kind, ref, plan.object, old, context)
        if (object) return { object, gone: false }
      }
    }
  }

  async function history(of: KindView, options: CacheListOptions): Promise<CacheList> {
    const prefix = storeKey(of.resource, options.namespace, '')
    const { items, revision } = await store.range({ prefix, revision: options.at! })
    const past = createWatchCache(of.storage, revision)
    loadInto(past, items, storeKey(of.resource, '', '').length)
    const { at: _, ...now } = options
    return past.list(now)!
  }

  async function openKind(kind: Kind): Promise<void> {
    if (!kind.virtual && !kind.storage) await feed.add(kind)
  }

  return {
    view,
    history,
    compactedRevision: store.compactedRevision,
    kinds: kinds.all,
    kind: kinds.get,
    kindOf: kinds.of,
    async addKind(kind) {
      await openKind(kind)
      kinds.set(kind)
    },
    openKind,
    setKind: kinds.set,
    removeKind(key) {
      const kind = kinds.get(key)
      kinds.delete(key)
      // Objects of a custom kind may be shown by another version of it still.
      if (kind?.custom && !kinds.all().some(each => resourceOf(each) === resourceOf(kind))) {
        feed.remove(resourceOf(kind))
      }
    },
    whenUsed(key, then) {
      const kind = kinds.get(key)
      const cache = kind && view(kind).cache
      if (!cache || cache.size > 0) {
        then()
        return () => {}
      }
      const end = cache.onChange(() => {
        end()
        then()
      })
      return end
    },
    endWatches(kind) {
      feed.cache(resourceOf(kind))?.close()
    },
    prepare,
    revision: feed.revision,
    reader: kind => view(kind).reader,
    get,
    create,
    update,
    delete: del,
  }
}
