/**
 * Server-side apply (KEP-555, https://kubernetes.io/docs/reference/using-api/server-side-apply/), after
 * sigs.k8s.io/structured-merge-diff: merge, take away what the manager gave up and nobody else owns, find conflicts.
 */
import { equalJson } from '../merge-patch.ts'
import type { KubeObject } from '../object.ts'
import type { Schema } from '../schema.ts'
import type { SchemaNode } from '../schema-node.ts'
import { compileSchema } from '../schema-node.ts'
import type { StatusError } from '../status-error.ts'
import { applyConflict, badRequest, unclassified } from '../status-error.ts'
import { rfc3339 } from '../time.ts'
import type { Comparison } from './compare.ts'
import type { FieldSet } from './field-set.ts'
import {
  difference,
  differenceRecursive,
  EMPTY,
  intersection,
  isEmptySet,
  pathsOf,
  setOfFields,
  showPath,
  union,
} from './field-set.ts'
import type { Owner } from './managed-fields.ts'
import { compareObjects, readOwners, stripUnowned, touchedOf, withoutIgnored, writeOwners } from './managed-fields.ts'
import {
  dropNulls,
  fieldSetOf,
  findDuplicate,
  mergeValues,
  removePaths,
  WithoutKeys,
  withNamedFields,
} from './typed.ts'

export interface ApplyOptions {
  /** What is stored; undefined where there is nothing yet. Not changed. */
  readonly live: KubeObject | undefined
  /** The manager's full intent. Not changed. */
  readonly applied: KubeObject
  readonly schema: Schema | string
  /** Of the request, e.g. `apps/v1`; `applied` must have the same. */
  readonly apiVersion: string
  readonly manager: string
  /** '' (default) for the object itself. */
  readonly subresource?: string | undefined
  /** Takes fields over from other managers. */
  readonly force: boolean
  /** Wall clock, ms since the epoch. */
  readonly now: number
  /** Fields that this endpoint resets, e.g. `setOfFields(['status'])`: applied in vain and owned by nobody. */
  readonly ignored?: FieldSet | undefined
}

export interface ApplyConflict {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  /** As messages show it, e.g. `.spec.replicas`. */
  readonly field: string
}

/** The object to store, with its managedFields, or what stands in the way. */
export type ApplyResult =
  | { readonly object: KubeObject; readonly conflicts?: undefined }
  | { readonly object?: undefined; readonly conflicts: readonly ApplyConflict[] }

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const KUBECTL = 'kubectl'

/**
 * Applies. The result is what to validate and store; it equals `live` where nothing changes. Throws StatusError
 * BadRequest for an intent that cannot be one (managedFields in it, another apiVersion, list items twice).
 */
export function applyPatch(options: ApplyOptions): ApplyResult {
  const node = compileSchema(options.schema)
  refuseBadIntent(node, options)
  let result: Attempt
  try {
    result = attempts(node, options)
  } catch (error) {
    if (error instanceof WithoutKeys) refuseBadLive(node, options)
    throw error
  }
  if (result.conflicts) return { conflicts: result.conflicts.map(({ path, ...rest }) => rest) }
  return { object: syncLastApplied(options, result.object) }
}

function refuseBadIntent(node: SchemaNode, { applied, apiVersion }: ApplyOptions): void {
  if (applied.metadata?.managedFields) throw badRequest('metadata.managedFields must be nil')
  if (applied.apiVersion !== undefined && applied.apiVersion !== apiVersion) {
    throw badRequest(`invalid object type: ${applied.apiVersion}, Kind=${applied.kind ?? ''}`)
  }
  const object = named(applied, apiVersion)
  const twice = withPath(`failed to create typed patch object (${object})`, () => findDuplicate(node, applied))
  if (twice) {
    const problem = `${showPath(twice.slice(0, -1))}: duplicate entries for key ${showPath(twice.slice(-1))}`
    throw badRequest(`failed to create typed patch object (${object}): ${problem}`)
  }
}

function refuseBadLive(node: SchemaNode, { live, apiVersion }: ApplyOptions): void {
  if (!live) return
  const what = `failed to convert new object (${named(live, apiVersion)}) to smd typed`
  withPath(`failed to create manager for existing fields: ${what}`, () => findDuplicate(node, live))
}

/** As errors name an object: `default/web; apps/v1, Kind=Deployment`. */
function named({ metadata, kind = '' }: KubeObject, apiVersion: string): string {
  const { name = '', namespace = '' } = metadata ?? {}
  return `${namespace}/${name}; ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`
}

/** Says what and where it is that cannot be owned: 500, without a reason. */
function withPath<T>(what: string, find: () => T): T {
  try {
    return find()
  } catch (error) {
    if (!(error instanceof WithoutKeys)) throw error
    throw unclassified(`${what}: ${showPath(error.path ?? [])}: ${error.message}`)
  }
}

interface FoundConflict extends ApplyConflict {
  readonly path: readonly string[]
}

type Attempt =
  | { readonly object: KubeObject; readonly conflicts?: undefined }
  | { readonly object?: undefined; readonly conflicts: readonly FoundConflict[] }

function attempts(node: SchemaNode, options: ApplyOptions): Attempt {
  const result = attempt(node, options, options.force)
  if (!result.conflicts || options.manager !== KUBECTL) return result
  const conflicts = withoutClientSideOwn(node, options, result.conflicts)
  return conflicts.length ? { conflicts } : attempt(node, options, true)
}

function attempt(node: SchemaNode, options: ApplyOptions, force: boolean): Attempt {
  const { applied, apiVersion, manager, subresource = '', ignored = EMPTY } = options
  const live = withoutManagedFields(options.live)
  const owners = ownersBefore(node, options)
  const mine = owners.find(
    owner => owner.operation === 'Apply' && owner.manager === manager && owner.subresource === subresource,
  )
  const others = owners.filter(owner => owner !== mine)
  const whole = differenceRecursive(fieldSetOf(node, applied), ignored)
  const set = stripUnowned(whole)
  const merged = mergeValues(node, live, applied) as KubeObject
  const pruned = prune(node, merged, mine?.set, [...others.map(owner => owner.set), whole, IDENTITY])
  // What lost everything is null here, and not gone: who owns it as a whole keeps that.
  const comparison = withoutIgnored(compareObjects(node, live, pruned), ignored)
  const conflicts = force ? [] : findConflicts(others, comparison)
  if (conflicts.length) return { conflicts }

  const touched = union(comparison.modified, comparison.added)
  const kept = others
    .map(owner => ({ ...owner, set: difference(difference(owner.set, touched), comparison.removed) }))
    .filter(owner => !isEmptySet(owner.set))
  const next = dropNulls(pruned) as KubeObject
  const changed = !equalJson(live, next)
  // Who only says what already is so has no time of an own change.
  const time = changed ? rfc3339(options.now) : mine?.time
  const entry: Owner = { manager, operation: 'Apply', apiVersion, subresource, time, set }
  const managedFields = writeOwners(isEmptySet(set) ? kept : [...kept, entry])
  return { object: { ...next, metadata: { ...next.metadata, managedFields } } }
}

/** Stays whatever the manager applied before: it is in every intent. */
const IDENTITY = setOfFields(['apiVersion'], ['kind'], ['metadata', 'name'], ['metadata', 'namespace'])

function withoutManagedFields(object: KubeObject | undefined): KubeObject | undefined {
  if (!object?.metadata?.managedFields) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Who owned what before; an object that nobody tracked belongs to a manager that stands for all who wrote it. */
function ownersBefore(node: SchemaNode, { live, apiVersion, now, ignored }: ApplyOptions): Owner[] {
  if (!live) return []
  const owners = readOwners(live.metadata?.managedFields)
  if (owners.length) return owners
  const { added, modified } = withoutIgnored(compareObjects(node, undefined, live), ignored)
  const set = union(added, modified)
  if (isEmptySet(set)) return []
  const manager = 'before-first-apply'
  return [{ manager, operation: 'Update', apiVersion, subresource: '', time: rfc3339(now), set }]
}

/** Takes away what the manager applied last time, does not apply now, and nobody owns any more. */
function prune(
  node: SchemaNode,
  merged: KubeObject,
  last: FieldSet | undefined,
  owned: readonly FieldSet[],
): KubeObject {
  if (!last || isEmptySet(last)) return merged
  const named = (set: FieldSet) => withNamedFields(node, set)
  const mergedSet = named(fieldSetOf(node, merged))
  let pruned = removePaths(node, merged, named(last))
  const managed = owned.reduce(union, EMPTY)
  const prunedSet = named(fieldSetOf(node, pruned))
  pruned = removePaths(node, merged, difference(mergedSet, union(prunedSet, named(managed))))
  // What was left out only because it hung below something that went, but was never the manager's own, comes back.
  const finalSet = named(fieldSetOf(node, pruned))
  const result = removePaths(node, merged, intersection(difference(mergedSet, finalSet), named(last)))
  return (result ?? {}) as KubeObject
}

function findConflicts(others: readonly Owner[], comparison: Comparison): FoundConflict[] {
  return others.flatMap(owner => {
    const { manager, operation, apiVersion, subresource } = owner
    return pathsOf(touchedOf(owner, comparison)).map(path => ({
      manager,
      operation,
      apiVersion,
      subresource,
      path,
      field: showPath(path),
    }))
  })
}

/**
 * Objects made by client-side apply move to server-side apply without conflicts: what the last-applied annotation says
 * and still stands is kubectl's own.
 */
function withoutClientSideOwn(
  node: SchemaNode,
  { live, apiVersion }: ApplyOptions,
  conflicts: readonly FoundConflict[],
): readonly FoundConflict[] {
  const text = live?.metadata?.annotations?.[LAST_APPLIED]
  if (!live || !text) return conflicts
  let last: KubeObject
  try {
    last = JSON.parse(text) as KubeObject
  } catch {
    return conflicts
  }
  if (last?.apiVersion !== apiVersion) return conflicts
  const { added, modified, removed } = compareObjects(node, last, live)
  const own = difference(difference(difference(fieldSetOf(node, last), modified), added), removed)
  const allowed = new Set(pathsOf(own).map(path => path.join('\n')))
  return conflicts.filter(conflict => !allowed.has(conflict.path.join('\n')))
}

/** Keeps the annotation of client-side apply true, where there is one and kubectl applies. */
function syncLastApplied({ applied, manager }: ApplyOptions, object: KubeObject): KubeObject {
  if (manager !== KUBECTL || !object.metadata?.annotations?.[LAST_APPLIED]) return object
  const { [LAST_APPLIED]: _, ...annotations } = applied.metadata?.annotations ?? {}
  const metadata = { ...applied.metadata, ...(Object.keys(annotations).length && { annotations }) }
  if (!Object.keys(annotations).length) delete metadata.annotations
  const text = `${JSON.stringify(sortKeys({ ...applied, metadata }))}\n`
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [LAST_APPLIED]: text } },
  }
}

/** As Go writes maps: the annotation is compared as text by people. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v)]),
  )
}

function showManager({ manager, operation, apiVersion, subresource }: ApplyConflict): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}

/** 409 with one cause per conflict: `Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas`. */
export function conflictError(conflicts: readonly ApplyConflict[]): StatusError {
  const causes = conflicts.map(conflict => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${showManager(conflict)}`,
    field: conflict.field,
  }))
  const [first] = conflicts
  if (conflicts.length === 1 && first) {
    return applyConflict(causes, `Apply failed with 1 conflict: conflict with ${showManager(first)}: ${first.field}`)
  }
  const byManager = Map.groupBy(conflicts, showManager)
  const lines = [...byManager.keys()].sort().flatMap(manager => {
    return [`conflicts with ${manager}:`, ...byManager.get(manager)!.map(({ field }) => `- ${field}`)]
  })
  return applyConflict(causes, `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`)
}
