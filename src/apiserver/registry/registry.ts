/**
 * The generic registry: create, read, change and delete objects of any kind, with everything a kind declares. HTTP
 * handlers, subresources, authorizers and admission plugins stand on this interface and never on the store.
 *
 * Reads are synchronous: they come from the watch cache, which is current with every commit of this process before the
 * commit's promise resolves. What they hand out is shared and read-only.
 */
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { UserInfo } from '../authentication/authenticator.ts'

/** One object. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace: string
  readonly name: string
}

/** Who writes, and how. */
export interface WriteContext {
  readonly user: UserInfo
  /** Runs everything but the commit. */
  readonly dryRun?: boolean
  /** Owner of the fields in metadata.managedFields. */
  readonly fieldManager?: string
  /** What happens to unknown and duplicate fields. Default `Ignore`: for calls from inside the server. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  /** Paths of fields that the body repeats (of YAML, lines that say so): they go with the unknown ones. */
  readonly duplicates?: readonly string[]
  /** The object came over the wire: nobody else holds it, and what is stored may be kept as it is. */
  readonly owned?: boolean
  /** The object's managedFields are complete: an apply made them. */
  readonly applied?: boolean
  /** '' (default) for the object itself, else the subresource through which it is written. */
  readonly subresource?: string
  /** CreateOptions, UpdateOptions, … as admission plugins see them. */
  readonly options?: Readonly<Record<string, unknown>>
  warn?(text: string): void
  /** Notes something for the audit event of the request. */
  audit?(key: string, value: string, level?: 'Request'): void
  /** Admission has been asked already, about the request that this write is part of. */
  readonly admitted?: boolean
  /** What admission sees in place of the object itself. */
  readonly admittedAs?: AdmittedAs
}

/** An update through a subresource that takes objects of a type of its own, such as Scale. */
export interface AdmittedAs {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  /** The subresource's object, of its own to change. */
  show(object: KubeObject): KubeObject
  /** Brings into `object` what admission changed. */
  put(shown: KubeObject, object: KubeObject): void
}

/** meta/v1 DeleteOptions, decoded. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly orphanDependents?: boolean
}

export interface DeleteResult {
  /** The object as it is now, or as it last was. */
  readonly object: Encoded
  /** False: it waits for its grace period or its finalizers. */
  readonly gone: boolean
}

/** Reads of one kind, from the cache, in the shape of that kind (not of its storage kind). */
export interface KindReader {
  get(namespace: string, name: string): Encoded | undefined
  /** In byte order of namespace/name. '' is all namespaces. */
  list(namespace?: string): readonly Encoded[]
  /** Called synchronously with every change, in revision order; `current` undefined for a delete. Returns its end. */
  onChange(handler: (previous: Encoded | undefined, current: Encoded | undefined) => void): () => void
}

/**
 * What a kind needs besides its declaration: allocators, mostly. Keyed by kind key. They run after admission and
 * defaults and before validation, on the object that is about to be stored, which they may change. With `dryRun` they
 * must keep nothing.
 */
export interface KindHooks {
  beforeCreate?(object: KubeObject, context: WriteContext): void | Promise<void>
  beforeUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): void | Promise<void>
  /** The write that a `before…` ran for did not happen: release what was taken for `object`. */
  onFailure?(object: KubeObject, old: KubeObject | undefined): void
  /** It is gone from the store. */
  afterDelete?(object: KubeObject): void
}

export interface Registry {
  /** Every kind that is served. */
  kinds(): readonly Kind[]
  /** By `kindKey(group, version, plural)`. */
  kind(key: string): Kind | undefined
  /** By apiVersion and kind name. */
  kindOf(apiVersion: string, kind: string): Kind | undefined
  /** Serves a further kind, or a new form of one (same key). */
  addKind(kind: Kind): Promise<void>
  removeKind(key: string): void

  /**
   * Calls `then` once there is an object of the kind with this key, at once where there is one or the kind is not
   * served. Returns what makes it forget that.
   */
  whenUsed(key: string, then: () => void): () => void

  /** Newest revision that the cache holds. */
  revision(): number
  reader(kind: Kind): KindReader
  /** Throws StatusError NotFound. */
  get(kind: Kind, ref: ObjectRef): Encoded

  /** `object` is changed in place and then owned by the registry. */
  create(kind: Kind, namespace: string, object: KubeObject, context: WriteContext): Promise<Encoded>
  /**
   * Changes what is stored: `change` gets a copy of its own of the newest object, changes it in place or returns
   * another, and is called again when someone else was faster. It may be async and throws to give up. When it leaves metadata.resourceVersion
   * other than the stored one, the write fails with a conflict, as an update from outside does. Writes nothing when
   * nothing differs.
   */
  update(
    kind: Kind,
    ref: ObjectRef,
    // biome-ignore lint/suspicious/noConfusingVoidType: a change in place returns nothing
    change: (object: KubeObject) => KubeObject | void | Promise<KubeObject | void>,
    context: WriteContext,
  ): Promise<Encoded>
  /** Starts or completes the deletion, by grace, finalizers and propagation. */
  delete(kind: Kind, ref: ObjectRef, options: DeleteOptions, context: WriteContext): Promise<DeleteResult>
}
