/** What the client needs of a kind: where its objects live. Every `Kind<T>` fits. */
import type { Kind } from '../api/machinery/kind.ts'
import type { KubeObject } from '../api/machinery/object.ts'

/** A kind as the client sees it; `T` is the type of its objects. */
export interface Resource<T extends KubeObject = KubeObject>
  extends Pick<Kind, 'group' | 'version' | 'kind' | 'plural' | 'namespaced' | 'apiVersion' | 'key'> {
  readonly _type?: T
}

/** One object. `namespace` is absent or '' for cluster-scoped kinds. */
export interface ObjectRef {
  readonly namespace?: string | undefined
  readonly name: string
}

/** Path of a collection: one namespace's, or the whole cluster's without one. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${resource.plural}`
}

/** Path of an object or of one of its subresources. */
export function objectPath(resource: Resource, ref: ObjectRef, subresource?: string): string {
  if (resource.namespaced && !ref.namespace) {
    throw new Error(`no namespace was given for ${resource.plural} ${JSON.stringify(ref.name)}, which need one`)
  }
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`
  return subresource ? `${path}/${subresource}` : path
}

/** The reference of an object that has a name. */
export const refOf = (object: KubeObject): ObjectRef => ({
  namespace: object.metadata?.namespace,
  name: object.metadata?.name ?? '',
})

/** The revision that a resourceVersion stands for; 0 where there is none. */
export const revisionOf = (object: KubeObject | undefined): number =>
  Number(object?.metadata?.resourceVersion ?? 0) || 0
