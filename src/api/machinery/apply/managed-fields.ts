/**
 * metadata.managedFields: who owns which field (KEP-555). `trackUpdate` runs on every create, update and patch, so it
 * writes FieldsV1 straight from the object and stops where nothing differs.
 */
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import type { Schema } from '../schema.ts'
import type { SchemaNode } from '../schema-node.ts'
import { compileSchema, madeZero } from '../schema-node.ts'
import { rfc3339 } from '../time.ts'
import type { Comparison } from './compare.ts'
import { compareValues } from './compare.ts'
import type { BuildingSet, FieldSet } from './field-set.ts'
import { difference, differenceRecursive, intersection, isEmptySet, parseFieldSet, union } from './field-set.ts'
import { sharedSet } from './shared-sets.ts'
import { type Json, WithoutKeys } from './typed.ts'

/** Who owns a set of fields, and since when. */
export interface Owner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly set: FieldSet
}

/** More managers by Update than this are put together, the oldest first. */
const MAX_UPDATE_MANAGERS = 10
const ANCIENT = 'ancient-changes'
/** Nobody owns these. */
const UNOWNED_ROOT: ReadonlySet<string> = new Set(['apiVersion', 'kind'])
const UNOWNED_META: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
])
const UNOWNED_ALL: ReadonlySet<string> = new Set([...UNOWNED_ROOT, 'metadata'])

export interface TrackUpdateOptions {
  /** What is stored; undefined for a create. */
  readonly live: KubeObject | undefined
  /** What will be stored. Not changed. */
  readonly next: KubeObject
  readonly schema: Schema | string
  /** Of the request, e.g. `apps/v1`. */
  readonly apiVersion: string
  readonly manager: string
  /** '' (default) for the object itself. */
  readonly subresource?: string | undefined
  /** Fields that this endpoint resets: changed in vain, and owned by nobody. */
  readonly ignored?: FieldSet | undefined
  /** Wall clock, ms since the epoch. */
  readonly now: number
}

/**
 * The managedFields that `next` is to have after a write that is no apply. What the writer changed becomes its own and
 * nobody else's; times of owners who lost or won nothing stay. Entries that came with `next` replace those of `live`;
 * an empty list or one empty entry forgets them all, and an object that has none stays without until it is applied to.
 */
export function trackUpdate(options: TrackUpdateOptions): ManagedFieldsEntry[] {
  try {
    return trackTyped(options)
  } catch (error) {
    // What is not of its type is owned by nobody, all of it.
    if (error instanceof WithoutKeys) return []
    throw error
  }
}

function trackTyped(options: TrackUpdateOptions): ManagedFieldsEntry[] {
  const { live, next, apiVersion, manager, subresource = '', now } = options
  const node = compileSchema(options.schema)
  const sent = startingEntries(live, next, subresource)
  if (live && sent.length === 0) return []
  const { added, modified, removed } = withoutIgnored(compareObjects(node, live, next), options.ignored)
  if (isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed)) {
    return sent as ManagedFieldsEntry[]
  }
  const owners = readOwners(sent)
  if (live && owners.length === 0) return []
  const touched = union(modified, added)
  const kept = release(owners, touched, removed)
  if (!isEmptySet(touched)) {
    const mine = kept.findIndex(
      owner =>
        owner.operation === 'Update' &&
        owner.manager === manager &&
        owner.subresource === subresource &&
        owner.apiVersion === apiVersion,
    )
    const set = mine < 0 ? touched : union(kept[mine]!.set, touched)
    const entry: Owner = { manager, operation: 'Update', apiVersion, subresource, time: rfc3339(now), set }
    if (mine < 0) kept.push(entry)
    else kept[mine] = entry
  }
  return writeOwners(capUpdates(kept))
}

/** A comparison without fields that do not count, and what lies below them. */
export function withoutIgnored(comparison: Comparison, ignored: FieldSet | undefined): Comparison {
  if (!ignored || isEmptySet(ignored)) return comparison
  const { added, modified, removed } = comparison
  return {
    added: differenceRecursive(added, ignored),
    modified: differenceRecursive(modified, ignored),
    removed: differenceRecursive(removed, ignored),
  }
}

/** The entries that a write starts from; none where it forgets them. */
function startingEntries(live: KubeObject | undefined, next: KubeObject, subresource: string) {
  const stored = live?.metadata?.managedFields ?? []
  const sent = next.metadata?.managedFields
  if (subresource || sent === undefined || sent === null) return stored
  const [first] = sent
  if (!first || (sent.length === 1 && isEmptySet(first as unknown as FieldSet))) return []
  if (sent === stored) return stored
  return readOwners(sent).length ? sent : stored
}

/** Takes paths away from their owners; owners of nothing are dropped. */
function release(owners: readonly Owner[], touched: FieldSet, removed: FieldSet): Owner[] {
  const result: Owner[] = []
  for (const owner of owners) {
    const set = difference(difference(owner.set, touched), removed)
    if (set === owner.set) result.push(owner)
    else if (!isEmptySet(set)) result.push({ ...owner, set })
  }
  return result
}

const NO_OBJECT: Json = {}
/** Objects of which nothing has been said yet, by their schema. Not to be changed. */
const emptyObjects = new WeakMap<SchemaNode, Json>()

function emptyObject(node: SchemaNode): Json {
  let empty = emptyObjects.get(node)
  if (!empty) emptyObjects.set(node, (empty = madeZero(node, NO_OBJECT) as Json))
  return empty
}

/** How two objects differ, without what nobody owns. */
export function compareObjects(node: SchemaNode, live: KubeObject | undefined, next: KubeObject): Comparison {
  // A new object is compared with an empty one of its kind.
  const old = (live ?? emptyObject(node)) as Json
  const now = next as Json
  const body = compareValues(node, old, now, UNOWNED_ALL)
  if (old.metadata === now.metadata) return body
  const meta = node.fields?.get('metadata')
  if (!meta) return body
  const head = compareValues(meta, old.metadata ?? NO_OBJECT, now.metadata ?? NO_OBJECT, UNOWNED_META)
  return {
    added: withMeta(body.added, head.added),
    modified: withMeta(body.modified, head.modified),
    removed: withMeta(body.removed, head.removed),
  }
}

function withMeta(body: FieldSet, head: FieldSet): FieldSet {
  return isEmptySet(head) ? body : { 'f:metadata': head, ...body }
}

/** The set without what nobody owns. */
export function stripUnowned(set: FieldSet): FieldSet {
  const result: BuildingSet = { ...set }
  for (const key of UNOWNED_ROOT) delete result[`f:${key}`]
  const meta = result['f:metadata']
  if (!meta) return result
  const rest: BuildingSet = { ...meta }
  delete rest['.']
  for (const key of UNOWNED_META) delete rest[`f:${key}`]
  if (isEmptySet(rest)) delete result['f:metadata']
  else result['f:metadata'] = rest
  return result
}

/** Reads entries; all are dropped when one of them is malformed, as Kubernetes does. */
export function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): Owner[] {
  const owners: Owner[] = []
  for (const entry of entries ?? []) {
    const { manager = '', operation, apiVersion, subresource = '', time } = entry
    const set = parseFieldSet(entry.fieldsV1)
    const known = operation === 'Apply' || operation === 'Update'
    if (!known || !apiVersion || entry.fieldsType !== 'FieldsV1' || !set) return []
    owners.push({ manager, operation, apiVersion, subresource, time, set })
  }
  return owners
}

/** Entries in the order in which the API shows them: applies first, then by time. */
export function writeOwners(owners: readonly Owner[]): ManagedFieldsEntry[] {
  const sorted = owners.length > 1 ? [...owners].sort(compareOwners) : owners
  return sorted.map(({ manager, operation, apiVersion, time, set, subresource }) => {
    const entry: ManagedFieldsEntry = { manager, operation, apiVersion }
    if (time !== undefined) entry.time = time
    entry.fieldsType = 'FieldsV1'
    entry.fieldsV1 = sharedSet(set) as Record<string, unknown>
    if (subresource) entry.subresource = subresource
    return entry
  })
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compareOwners(a: Owner, b: Owner): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  )
}

/** Puts the oldest managers by Update together until there are few enough, each API version by itself. */
function capUpdates(owners: Owner[]): Owner[] {
  const updates = owners.filter(owner => owner.operation === 'Update')
  let count = updates.length
  if (count <= MAX_UPDATE_MANAGERS) return owners
  updates.sort((a, b) => order(a.time ?? '', b.time ?? '') || order(a.manager, b.manager))
  const gone = new Set<Owner>()
  const buckets = new Map<string, Owner>()
  for (const owner of updates) {
    if (count <= MAX_UPDATE_MANAGERS) break
    const bucket = buckets.get(owner.apiVersion)
    if (bucket) count--
    const set = bucket ? union(owner.set, bucket.set) : owner.set
    buckets.set(owner.apiVersion, { ...owner, manager: bucket ? ANCIENT : owner.manager, subresource: '', set })
    gone.add(owner)
  }
  return [...owners.filter(owner => !gone.has(owner)), ...restoreSingles(buckets, gone)]
}

/** A bucket that took in one owner only is that owner, unchanged. */
function restoreSingles(buckets: ReadonlyMap<string, Owner>, gone: ReadonlySet<Owner>): Owner[] {
  return [...buckets.values()].map(bucket => {
    if (bucket.manager === ANCIENT) return bucket
    return [...gone].find(owner => owner.apiVersion === bucket.apiVersion) ?? bucket
  })
}

/** The part of an owner's set that a change touches. */
export const touchedOf = (owner: Owner, comparison: Comparison): FieldSet =>
  intersection(owner.set, union(comparison.modified, comparison.added))
