/**
 * What every API object has. The kinds' own types are generated into `api/generated/types`; they extend these.
 * Objects that come out of a cache, an informer or a response are shared and must not be changed: copy first
 * (`structuredClone`, or spread along the path that changes).
 */

/** metadata.ownerReferences (API doc: meta/v1 OwnerReference). */
export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

/** One entry of metadata.managedFields (KEP-555). */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: 'FieldsV1'
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

/** meta/v1 ObjectMeta. Times are RFC 3339 in UTC, to the second. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  selfLink?: string
}

/** meta/v1 ListMeta. */
export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
  selfLink?: string
}

/** Any object of any kind. */
export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
}

/** Any list. */
export interface KubeList<T = KubeObject> {
  apiVersion?: string
  kind?: string
  metadata?: ListMeta
  items: T[]
}

/** Read-only all the way down: the type of what caches hand out. */
export type Frozen<T> = T extends (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T
