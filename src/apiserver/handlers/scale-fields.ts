/**
 * Who owns the number of replicas, as the scale subresource shows it and as the object keeps it (KEP-555: scale has
 * managed fields of its own, which are those of the object in other words).
 */
import {
  belowStep,
  difference,
  type FieldSet,
  hasStep,
  isEmptySet,
  setOfFields,
} from '../../api/machinery/apply/field-set.ts'
import { type Owner, readOwners, writeOwners } from '../../api/machinery/apply/managed-fields.ts'
import type { ManagedFieldsEntry } from '../../api/machinery/object.ts'

const SCALE_VERSION = 'autoscaling/v1'
const REPLICAS = setOfFields(['spec', 'replicas'])

function has(set: FieldSet, path: readonly string[]): boolean {
  let at = set
  for (const step of path.slice(0, -1)) at = belowStep(at, `f:${step}`)
  return hasStep(at, `f:${path.at(-1)}`)
}

const same = (a: Owner, b: Owner) =>
  a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource

/** Owners of the replicas alone. `path` is where the object has them. */
export function toScaleFields(entries: readonly ManagedFieldsEntry[] | undefined, path: readonly string[]) {
  const owners = readOwners(entries).filter(({ set }) => has(set, path))
  return writeOwners(owners.map(owner => ({ ...owner, apiVersion: SCALE_VERSION, set: REPLICAS })))
}

/** The object's owners once the scale has `scaleEntries`: who lost the replicas there loses them here. */
export function toObjectFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  scaleEntries: readonly ManagedFieldsEntry[] | undefined,
  path: readonly string[],
  apiVersion: string,
): ManagedFieldsEntry[] {
  const replicas = setOfFields(path)
  const owning = readOwners(scaleEntries).filter(({ set }) => has(set, ['spec', 'replicas']))
  const kept: Owner[] = []
  for (const owner of readOwners(entries)) {
    if (!has(owner.set, path) || owning.some(each => same(each, owner))) {
      kept.push(owner)
      continue
    }
    const set = difference(owner.set, replicas)
    if (!isEmptySet(set)) kept.push({ ...owner, set })
  }
  const fresh = owning.filter(owner => !kept.some(each => same(each, owner) && has(each.set, path)))
  // Upstream does not say since when.
  return writeOwners([...kept, ...fresh.map(owner => ({ ...owner, apiVersion, time: undefined, set: replicas }))])
}
