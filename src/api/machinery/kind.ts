/**
 * A kind is data (DESIGN D1). A built-in kind is one `defineKind({...})` in `api/kinds/<group>/<kind>.ts`; a custom
 * one is the same value made from a CustomResourceDefinition at run time. The API server's generic registry,
 * discovery, OpenAPI, tables, RBAC, the typed client and the dashboard read nothing else.
 */

import type { Encoded } from './encoded.ts'
import type { FieldError } from './field-error.ts'
import type { NameFormat } from './names.ts'
import type { KubeObject } from './object.ts'
import type { Schema } from './schema.ts'

/** The verbs of discovery; `patch` covers the three patches and apply. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** All eight, which most kinds have. */
export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

/** What a table cell holds; `undefined` is shown as `<none>` by clients. */
export type Cell = string | number | boolean | null | undefined

/** One column of a Table answer (meta/v1 TableColumnDefinition) and how its cell is made. */
export interface Column<T extends KubeObject = KubeObject> {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  /** `name` marks the column that holds the object's name. */
  readonly format?: string
  readonly description?: string
  /** 0 (default) is shown always, 1 with `-o wide`. */
  readonly priority?: number
  /** Makes the cell. `now` is in ms since the epoch, for ages. Must not throw on a half-filled object. */
  cell(object: T, now: number): Cell
}

/** Where the scale subresource finds its numbers (autoscaling/v1 Scale). Paths are dotted, as in CRDs. */
export interface ScaleSubresource {
  readonly specReplicas: string
  readonly statusReplicas: string
  /** Path of a LabelSelector or of a serialised selector. */
  readonly selector?: string
}

/** How an update is being made: rules differ between the object and its subresources. */
export interface RuleContext {
  /** '' for the object itself, else `status`, `scale`, `ephemeralcontainers`, `resize`, … */
  readonly subresource: string
  /** Wall clock, ms since the epoch. */
  readonly now: number
  /** Labels of a namespace; undefined where it is not known. */
  labelsOf?(namespace: string): Readonly<Record<string, string>> | undefined
  /** Tells the client of what is wrong and passes all the same. */
  warn?(text: string): void
}

/**
 * A check. `old` is absent on create. Returns what is wrong; never throws. Structural errors (unknown, missing,
 * mistyped fields) have been found by the schema before rules run, so a rule may trust the types it sees.
 */
export type Rule<T extends KubeObject = KubeObject> = (
  next: T,
  old: T | undefined,
  context: RuleContext,
) => FieldError[]

/** The kind under which objects are kept, where several versions or groups show the same objects. */
export interface StorageConversion<T extends KubeObject = KubeObject> {
  /** Key of the storage kind: `kindKey(group, version, plural)`. */
  readonly kind: string
  /** To the storage kind's shape; may reuse parts of its argument. */
  encode(object: T): KubeObject
  /** From the storage kind's shape; must not change its argument. */
  decode(stored: KubeObject): T
}

/** One version of a custom kind over objects that may be stored in any version. */
export interface VersionConversion {
  /** A stored object as this version shows it; the same one where nothing differs. */
  show(stored: Encoded): Encoded
  /** What is to be stored for an object of this version. Rejects where a webhook does not convert it. */
  store(object: KubeObject): KubeObject | Promise<KubeObject>
  /** The stored bytes are what would be stored now: a change of nothing need not be written. */
  isCurrent(stored: Encoded): boolean
  /** Where a webhook converts: must be awaited before `show` is asked about these objects. Rejects where it fails. */
  convert?(stored: readonly Encoded[]): Promise<void>
}

/** What only kinds made from a CustomResourceDefinition have: there is no Go type behind them. */
export interface CustomTraits {
  /** Name of the CustomResourceDefinition. */
  readonly definition: string
  /** The definition is being deleted: no object may be created. */
  readonly terminating: boolean
  /** The version in which objects are stored. */
  readonly storedAs: string
  readonly conversion: VersionConversion
  /**
   * Brings a decoded object into the structure of the schema, in place: unknown fields go (their paths are returned),
   * and so do nulls that may not be. `error`: why that is not possible.
   */
  structure(object: KubeObject): { readonly error?: string; readonly unknown: readonly string[] }
  /** Loads what validation needs. Must be awaited before `rules` are asked. */
  load(): Promise<void> | undefined
  /** The kind's definition in an OpenAPI document of that version; `prefix` stands before names in references. */
  openApi(target: { readonly version: 2 | 3; readonly prefix: string }): Record<string, unknown>
  /** Changes when anything of what is published changes. */
  readonly fingerprint: string
}

export interface KindSpec<T extends KubeObject = KubeObject> {
  /** '' is the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Default: kind and `List`. */
  readonly listKind?: string
  readonly plural: string
  readonly singular: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  /** Name of a definition in `api/generated/schemas` (as in OpenAPI, e.g. `io.k8s.api.core.v1.Pod`), or a schema. */
  readonly schema: string | Schema
  /**
   * Not kept in the store: answered by a handler of its own in the API server (reviews, bindings, component statuses).
   */
  readonly virtual?: boolean

  /** Has `/status`: then the main endpoint ignores status, and the status endpoint everything else. */
  readonly status?: boolean
  /** A create may say the status too. */
  readonly statusOnCreate?: boolean
  readonly scale?: ScaleSubresource
  /** Further subresources, each with the verbs and the kind that discovery names; their handlers live in the API server. */
  readonly subresources?: readonly Subresource[]

  /** A change outside metadata and status raises metadata.generation; `first`: it is set once, and never raised. */
  readonly generation?: boolean | 'first'
  /** `relaxed`: a write is acknowledged before it is flushed to disk (Event, Lease). Default `durable`. */
  readonly durability?: 'durable' | 'relaxed'
  readonly storage?: StorageConversion<T>

  /** Fills absent fields in place, on every write and before validation. Idempotent. `now` in ms since the epoch, where it is known. */
  defaults?(object: T, now?: number): void
  /** Drops or resets, in place, what a client may not set on create. Status is cleared by the registry where `status` is set. */
  prepareCreate?(object: T): void
  /** On create, once a name stands (it may be made from generateName): fills in, in place, what depends on it. */
  named?(object: T): void
  /** As prepareCreate, for update; `old` is what is stored and must not be changed. Status (or spec) was copied over already. */
  prepareUpdate?(object: T, old: T, context: RuleContext): void
  readonly rules?: readonly Rule<T>[]
  /** Loads what the rules need, where that is heavy. Awaited before they are asked. */
  load?(): Promise<void>
  /** A warning with every answer, for kinds that upstream has deprecated, e.g. `v1 Endpoints is deprecated in …`. */
  readonly deprecation?: string
  /** Warnings for the client (`Warning: 299` headers). */
  warnings?(object: T, old: T | undefined): string[]
  /** The same for who writes the status. */
  statusWarnings?(object: T): string[]

  /**
   * How the object's name must look. Default `dns-subdomain`; `path` is any path segment (RBAC); of a `long-name`, a
   * subdomain too, only the name that was made is judged, not what it was made from.
   */
  readonly nameFormat?: NameFormat
  /** Seconds of grace for a delete; undefined or 0 deletes at once. Pod only, so far. */
  gracePeriod?(object: T, requested: number | undefined): number
  /**
   * The object as its deletion begins, marked with a deletionTimestamp: for kinds that always wait for something.
   * Must not change its argument. Without it a delete is marked where there are finalizers or grace.
   */
  beginDeletion?(object: T, now: number): T
  /** Field selectors besides metadata.name and metadata.namespace. Values as strings; '' for absent. */
  readonly selectable?: Readonly<Record<string, (object: T) => string>>
  /** Columns of Table answers, without namespace. */
  readonly columns: readonly Column<T>[]
  readonly custom?: CustomTraits
}

/** A named endpoint below an object, such as pods/log. */
export interface Subresource {
  readonly name: string
  readonly verbs: readonly string[]
  /** Group, version and kind that discovery names for it; those of the parent when absent. */
  readonly responseKind?: { readonly group: string; readonly version: string; readonly kind: string }
}

/** A kind, complete. Compare kinds by `key`. */
export interface Kind<T extends KubeObject = KubeObject> extends KindSpec<T> {
  /** `group/version`, or the version alone in the core group: what `apiVersion` holds. */
  readonly apiVersion: string
  /** Unique among kinds, e.g. `apps/v1/deployments`, `v1/pods`. */
  readonly key: string
  readonly listKind: string
  /** Carries `T` to the typed client; never set. */
  readonly _type?: T
}

/** The key of a kind. */
export const kindKey = (group: string, version: string, plural: string) =>
  `${group ? `${group}/` : ''}${version}/${plural}`

/** What clients are told of a kind that nobody serves: `no kind "Other" is registered for version "v1"`. */
export const unregistered = (apiVersion: string, kind: string) =>
  `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`

/** Completes a kind's declaration and freezes it. What it has getters for is made when it is first asked for. */
export function defineKind<T extends KubeObject>(spec: KindSpec<T>): Kind<T> {
  const { group, version, kind, listKind = `${kind}List` } = spec
  const completed = {
    apiVersion: group ? `${group}/${version}` : version,
    key: kindKey(group, version, spec.plural),
    listKind,
  }
  return Object.freeze(Object.defineProperties(completed, Object.getOwnPropertyDescriptors(spec)) as Kind<T>)
}
