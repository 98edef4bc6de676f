/** What a delete does to an object, as a pure function (k8s.io/apiserver registry/rest/delete.go says how). */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject, ObjectMeta } from '../../api/machinery/object.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { DeleteOptions } from './registry.ts'
import { hasNoDependents, orphansByDefault } from './traits.ts'

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** What is to be done: nothing (it is on its way), write `object`, or remove it. */
export type Deletion =
  | { readonly type: 'pending' }
  | { readonly type: 'mark'; readonly object: KubeObject }
  /** `object`: what it was in the end, where that is not what it is. */
  | { readonly type: 'remove'; readonly object?: KubeObject }

/** Namespaces wait for finalizers in their spec as well. */
function namespaceFinalizers(kind: Kind, object: KubeObject): readonly string[] {
  if (kind.key !== 'v1/namespaces') return []
  return (object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []
}

/** Nothing keeps an object that is being deleted any longer. */
export function isFinished(kind: Kind, object: KubeObject, old: KubeObject): boolean {
  const meta = object.metadata ?? {}
  if (!meta.deletionTimestamp || meta.finalizers?.length || namespaceFinalizers(kind, object).length) return false
  // Neither the grace that ran nor one that begins with this write.
  return !old.metadata?.deletionGracePeriodSeconds && !meta.deletionGracePeriodSeconds
}

function shouldOrphan(kind: Kind, finalizers: readonly string[], options: DeleteOptions): boolean {
  if (options.orphanDependents !== undefined) return options.orphanDependents
  if (options.propagationPolicy) return options.propagationPolicy === 'Orphan'
  if (finalizers.includes(ORPHAN)) return true
  return orphansByDefault(kind) && !finalizers.includes(FOREGROUND)
}

function shouldWaitForDependents(finalizers: readonly string[], options: DeleteOptions): boolean {
  if (options.orphanDependents !== undefined) return false
  if (options.propagationPolicy) return options.propagationPolicy === 'Foreground'
  return finalizers.includes(FOREGROUND)
}

/** The finalizers that the options ask for, in place of the two that belong to garbage collection. */
function finalizersFor(kind: Kind, old: readonly string[], options: DeleteOptions): string[] {
  if (hasNoDependents(kind)) return [...old]
  const result = old.filter(each => each !== ORPHAN && each !== FOREGROUND)
  if (shouldOrphan(kind, old, options)) result.push(ORPHAN)
  if (shouldWaitForDependents(old, options)) result.push(FOREGROUND)
  const same = result.length === old.length && result.every(each => old.includes(each))
  return same ? [...old] : result
}

/** Seconds of grace that begin or are shortened now; `pending`: they run already; undefined: none. */
function graceOf(kind: Kind, object: KubeObject, requested: number | undefined): number | 'pending' | undefined {
  if (!kind.gracePeriod) return undefined
  const meta = object.metadata ?? {}
  if (!meta.deletionTimestamp) return kind.gracePeriod(object, requested) || undefined
  if (!meta.deletionGracePeriodSeconds) return undefined
  if (requested === undefined || requested >= meta.deletionGracePeriodSeconds) return 'pending'
  return requested
}

/** Once grace runs it can only be shortened, and never into the past. */
function shortened(meta: ObjectMeta, grace: number, now: number): ObjectMeta {
  const start = Date.parse(meta.deletionTimestamp!) - meta.deletionGracePeriodSeconds! * 1000
  const due = start + grace * 1000
  const past = due < now
  return {
    ...meta,
    deletionTimestamp: rfc3339(past ? now : due),
    deletionGracePeriodSeconds: past && grace !== 0 ? 1 : grace,
  }
}

function marked(meta: ObjectMeta, grace: number, now: number): ObjectMeta {
  if (meta.deletionTimestamp) {
    return meta.deletionGracePeriodSeconds ? shortened(meta, grace, now) : { deletionGracePeriodSeconds: 0, ...meta }
  }
  return {
    ...meta,
    ...(meta.generation && { generation: meta.generation + 1 }),
    deletionTimestamp: rfc3339(now + grace * 1000),
    deletionGracePeriodSeconds: grace,
  }
}

/** Decides a delete of `object` at `now` (ms since the epoch). Does not change `object`. */
export function planDeletion(kind: Kind, object: KubeObject, options: DeleteOptions, now: number): Deletion {
  const asked = options.gracePeriodSeconds
  const grace = graceOf(kind, object, asked !== undefined && asked < 0 ? 1 : asked)
  const old = object.metadata ?? {}
  const isOnItsWay = old.deletionTimestamp !== undefined && namespaceFinalizers(kind, object).length > 0
  if (grace === 'pending' || isOnItsWay) return { type: 'pending' }
  if (kind.beginDeletion && !old.deletionTimestamp) return { type: 'mark', object: kind.beginDeletion(object, now) }
  const finalizers = finalizersFor(kind, old.finalizers ?? [], options)
  const keeps = finalizers.length > 0 || namespaceFinalizers(kind, object).length > 0
  if (!keeps && !grace) {
    if (!kind.gracePeriod || old.deletionTimestamp) return { type: 'remove' }
    return { type: 'remove', object: { ...object, metadata: marked(old, 0, now) } }
  }
  const { finalizers: _, ...rest } = marked(old, grace ?? 0, now)
  const metadata: ObjectMeta = finalizers.length ? { ...rest, finalizers } : rest
  const next: KubeObject = { ...object, metadata }
  if (kind.key === 'v1/namespaces') {
    const { status } = object as { status?: object }
    ;(next as { status?: object }).status = { ...status, phase: 'Terminating' }
    delete metadata.deletionGracePeriodSeconds
  }
  return { type: 'mark', object: next }
}
