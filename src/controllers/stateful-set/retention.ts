/** Who owns the claims of a member, as the set's retention policy says (KEP-1847). */
import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import type { KubeObject, OwnerReference } from '../../api/machinery/object.ts'
import type { Resource } from '../../client/resource.ts'
import { equalJson } from '../../lib/json.ts'
import { controllerReference } from '../owner.ts'
import { isWanted, ordinalOf } from './members.ts'

const refersTo = (reference: OwnerReference, resource: Resource, object: KubeObject) =>
  reference.apiVersion === resource.apiVersion &&
  reference.kind === resource.kind &&
  reference.name === object.metadata?.name

/** Refers to an earlier object of that name. */
const isStale = (reference: OwnerReference, resource: Resource, object: KubeObject) =>
  refersTo(reference, resource, object) && reference.uid !== object.metadata?.uid

const policyOf = (set: StatefulSet) => ({
  whenDeleted: set.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted ?? 'Retain',
  whenScaled: set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled ?? 'Retain',
})

/** A claim of a pod that was scaled away and is about to go: a new pod of that name must wait for it. */
export function isLeftover(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): boolean {
  if (policyOf(set).whenScaled === 'Retain') return false
  return (claim.metadata?.ownerReferences ?? []).some(each => isStale(each, Pod, pod))
}

/** The owner that the policy wants; undefined for none. */
function ownerOf(set: StatefulSet, pod: Pod): { readonly resource: Resource; readonly object: KubeObject } | undefined {
  const { whenDeleted, whenScaled } = policyOf(set)
  const isScaledAway = !isWanted(set, ordinalOf(pod))
  if (whenScaled === 'Delete' && isScaledAway) return { resource: Pod, object: pod }
  return whenDeleted === 'Delete' ? { resource: StatefulSet, object: set } : undefined
}

/**
 * The claim with the owners that it should have; the same object when nothing has to change. Claims of earlier sets
 * and pods are left alone; one with another controller gets none beside it.
 */
export function withOwners(claim: PersistentVolumeClaim, set: StatefulSet, pod: Pod): PersistentVolumeClaim {
  const references = claim.metadata?.ownerReferences ?? []
  if (references.some(each => isStale(each, StatefulSet, set) || isStale(each, Pod, pod))) return claim
  const others = references.filter(each => !refersTo(each, StatefulSet, set) && !refersTo(each, Pod, pod))
  const { whenDeleted, whenScaled } = policyOf(set)
  const isForeign = (whenDeleted === 'Delete' || whenScaled === 'Delete') && others.some(each => each.controller)
  const owner = isForeign ? undefined : ownerOf(set, pod)
  const wanted = owner ? [...others, controllerReference(owner.resource, owner.object)] : others
  const same = (a: readonly OwnerReference[], b: readonly OwnerReference[]) =>
    a.length === b.length &&
    a.every(each => b.some(other => equalJson([each.uid, each.controller], [other.uid, other.controller])))
  if (same(references, wanted)) return claim
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: wanted } }
}
