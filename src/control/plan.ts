/** What a reconciler wants done: writes, events and when to look again. Plain data; `commit` carries it out. */
import type { KubeObject } from '../api/machinery/object.ts'
import type { DeleteOptions } from '../client/client.ts'
import type { EventTarget } from '../client/event-recorder.ts'
import type { Resource } from '../client/resource.ts'

/** Something worth telling people, about `target`. */
export interface Note {
  readonly target: EventTarget
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** What is told when a write was done or refused; `object` is the server's answer. */
export interface Told {
  readonly done?: ((object: KubeObject) => Note) | undefined
  readonly failed?: ((error: Error) => Note) | undefined
}

export type Write =
  /** In object.metadata.namespace. */
  | ({ readonly type: 'create'; readonly resource: Resource; readonly object: KubeObject } & Told)
  /** The object without its status. Skipped when `next` equals `current`; fails when `current` is not the newest. */
  | ({
      readonly type: 'update' | 'status'
      readonly resource: Resource
      readonly current: KubeObject
      readonly next: KubeObject
    } & Told)
  /** A merge patch. Fails when the object's uid is not that of `object`. */
  | ({
      readonly type: 'patch'
      readonly resource: Resource
      readonly object: KubeObject
      readonly patch: object
      readonly subresource?: string
    } & Told)
  /** Fails when the object's uid is not that of `object`. */
  | ({
      readonly type: 'delete'
      readonly resource: Resource
      readonly object: KubeObject
      readonly options?: DeleteOptions
    } & Told)

/** When to look again without any change: never, or after that many ms. */
export type Requeue = { readonly type: 'done' } | { readonly type: 'after'; readonly ms: number }

export const done: Requeue = { type: 'done' }
export const after = (ms: number): Requeue => ({ type: 'after', ms: Math.max(ms, 1) })

/** The earlier of two. */
export function sooner(a: Requeue, b: Requeue): Requeue {
  if (a.type === 'done') return b
  if (b.type === 'done') return a
  return a.ms <= b.ms ? a : b
}

export interface Plan {
  /**
   * Carried out in order; creates that stand together run side by side in growing batches, as do deletes. When one
   * fails the rest is left.
   */
  readonly writes?: readonly Write[]
  /**
   * The object with its new status. It is written when there is nothing else to write: after other writes the
   * object is reconciled again on what they made.
   */
  readonly status?: KubeObject | undefined
  /** Told once the writes are done; a plan without writes tells them once its status is written. */
  readonly notes?: readonly Note[]
  readonly requeue?: Requeue
  /** What to do instead of the rest when a write failed, e.g. a status that says so. */
  readonly otherwise?: ((error: Error) => Pick<Plan, 'status' | 'notes'>) | undefined
}

/** Nothing to do. */
export const nothing: Plan = {}
