/**
 * A controller as data: which objects it is about, what else it looks at, and a pure function from what is to what
 * should be done (DESIGN D5). Invariant: run on its own output, `reconcile` plans nothing.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import type { Lister, ObjectKey } from '../client/informer-types.ts'
import type { Resource } from '../client/resource.ts'
import type { Plan } from './plan.ts'

/** What a reconciler may read: caches of the kinds that its controller declares. */
export interface View {
  /** Throws for a kind that was not declared. */
  of<T extends KubeObject>(resource: Resource<T>): Lister<T>
  /**
   * What a controller remembers from pass to pass while it runs, for what no object holds: when something was first
   * noticed by this machine's clock. Empty at every start, so nothing may depend on it being complete.
   */
  readonly memory: Map<string, unknown>
}

/** A further kind that is looked at, and whom its changes concern. */
export interface Watch<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>
  /** Keys of the objects to reconcile after this change. */
  keys(change: { readonly previous: T | undefined; readonly current: T | undefined }, view: View): readonly ObjectKey[]
}

/** A kind that is looked at, with the indexes that reading it needs. */
export interface Reads<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>
}

export interface ControllerSpec<T extends KubeObject> {
  /** As upstream names the component in events: `deployment-controller`. */
  readonly name: string
  /** The name of its queue in metrics, as upstream's: `deployment`. Default: `name`. */
  readonly queue?: string
  readonly for: Resource<T>
  /** Kinds of children: their changes concern the object that controls them. */
  readonly owns?: readonly Resource[]
  readonly watches?: readonly Watch[]
  /** Kinds that are read without being woken by them, and indexes of any of the kinds. */
  readonly reads?: readonly Reads[]
  /** Objects that are committed side by side. Default 16. */
  readonly concurrency?: number
  /** `now` in ms since the epoch. Must not change what it is given, wait, or look at anything else. */
  reconcile(object: T, view: View, now: number): Plan
  /** The same for a key whose object is gone. Default: nothing to do. */
  absent?(key: ObjectKey, view: View, now: number): Plan
}

/** A controller of any kind of object. */
export type Controller = ControllerSpec<KubeObject>

/** Declares a controller. */
export function defineController<T extends KubeObject>(spec: ControllerSpec<T>): Controller {
  return Object.freeze(spec) as unknown as Controller
}

/** A watch with its type kept inside. */
export const watch = <T extends KubeObject>(resource: Resource<T>, keys: Watch<T>['keys']): Watch =>
  ({ resource, keys }) as unknown as Watch

/** A read with its type kept inside. */
export const read = <T extends KubeObject>(resource: Resource<T>, indexes?: NonNullable<Reads<T>['indexes']>): Reads =>
  ({ resource, ...(indexes && { indexes }) }) as unknown as Reads
