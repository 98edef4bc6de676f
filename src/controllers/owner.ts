/** Owners and their children: references, adoption and release (as upstream's controller_ref_manager). */
import type { KubeObject, OwnerReference } from '../api/machinery/object.ts'
import type { Resource } from '../client/resource.ts'
import type { Write } from '../control/plan.ts'

/** The reference that makes `owner` control a child. */
export const controllerReference = (resource: Resource, owner: KubeObject): OwnerReference => ({
  apiVersion: resource.apiVersion,
  kind: resource.kind,
  name: owner.metadata?.name ?? '',
  uid: owner.metadata?.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** The reference to the object that controls this one. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata?.ownerReferences?.find(each => each.controller)

/** Index of objects that nothing controls, by namespace. */
export const uncontrolled = (object: KubeObject): readonly string[] =>
  object.metadata?.ownerReferences?.some(each => each.controller) ? [] : [object.metadata?.namespace ?? '']

export interface Claim<T extends KubeObject> {
  /** Children that count now. */
  readonly children: readonly T[]
  /** Adoptions and releases to make. */
  readonly writes: readonly Write[]
}

/**
 * Sorts out whose the objects are: owned ones that the selector no longer matches are released, matching ones that
 * nobody controls are adopted, unless they or the owner are being deleted. Adopted ones count once it is written.
 */
export function claim<T extends KubeObject>(options: {
  readonly owner: KubeObject
  readonly ownerResource: Resource
  readonly resource: Resource<T>
  readonly owned: readonly T[]
  readonly orphans: readonly T[]
  matches(object: T): boolean
  /** Further finalizers that an adopted object gets. */
  readonly finalizer?: string
}): Claim<T> {
  const { owner, resource } = options
  const isDeleting = owner.metadata?.deletionTimestamp !== undefined
  const children: T[] = []
  const writes: Write[] = []
  const patch = (object: T, ownerReferences: readonly OwnerReference[], finalizers?: readonly string[]) =>
    writes.push({
      type: 'patch',
      resource,
      object,
      patch: {
        metadata: {
          resourceVersion: object.metadata?.resourceVersion,
          ownerReferences: ownerReferences.length > 0 ? ownerReferences : null,
          ...(finalizers && { finalizers }),
        },
      },
    })
  for (const object of options.owned) {
    if (isDeleting || options.matches(object)) children.push(object)
    else
      patch(
        object,
        (object.metadata?.ownerReferences ?? []).filter(each => each.uid !== owner.metadata?.uid),
      )
  }
  for (const object of options.orphans) {
    if (isDeleting || object.metadata?.deletionTimestamp || !options.matches(object)) continue
    const finalizers = object.metadata?.finalizers ?? []
    patch(
      object,
      [...(object.metadata?.ownerReferences ?? []), controllerReference(options.ownerResource, owner)],
      options.finalizer && !finalizers.includes(options.finalizer) ? [...finalizers, options.finalizer] : undefined,
    )
  }
  return { children, writes }
}
