/**
 * Who owns whom, over every kind. A node whose object has not been seen is virtual: some dependent names it as its
 * owner, and whether it exists must be asked.
 */
import type { KubeObject, OwnerReference } from '../../api/machinery/object.ts'
import type { Resource } from '../../client/resource.ts'

export interface GraphNode {
  readonly uid: string
  /** undefined where a reference names a kind that is not served. */
  resource: Resource | undefined
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** undefined: virtual. */
  object: KubeObject | undefined
  /** A virtual one that was asked for and is not there. */
  absent: boolean
  owners: readonly OwnerReference[]
  readonly dependents: Set<GraphNode>
}

export interface Graph {
  get(uid: string): GraphNode | undefined
  /** Puts an object; returns its node and those owners that are new and virtual. */
  put(resource: Resource, object: KubeObject): { readonly node: GraphNode; readonly unknown: readonly GraphNode[] }
  /** Takes a node out; those that depend on it keep naming it. */
  remove(uid: string): GraphNode | undefined
}

export interface GraphDeps {
  find(apiVersion: string, kind: string): Resource | undefined
}

export const finalizersOf = (node: GraphNode) => node.object?.metadata?.finalizers ?? []
export const isDeleting = (node: GraphNode) => node.object?.metadata?.deletionTimestamp !== undefined
/** Being deleted, once all that block it are gone. */
export const isWaiting = (node: GraphNode) => isDeleting(node) && finalizersOf(node).includes('foregroundDeletion')
export const isOrphaning = (node: GraphNode) => isDeleting(node) && finalizersOf(node).includes('orphan')

/** Makes an empty graph. */
export function createGraph({ find }: GraphDeps): Graph {
  const nodes = new Map<string, GraphNode>()

  function virtual(reference: OwnerReference, dependent: KubeObject): GraphNode {
    const resource = find(reference.apiVersion, reference.kind)
    const namespace = resource && !resource.namespaced ? '' : (dependent.metadata?.namespace ?? '')
    const { uid, name, apiVersion, kind } = reference
    return {
      uid,
      resource,
      apiVersion,
      kind,
      namespace,
      name,
      object: undefined,
      absent: false,
      owners: [],
      dependents: new Set(),
    }
  }
  function link(node: GraphNode, object: KubeObject): GraphNode[] {
    const owners = object.metadata?.ownerReferences ?? []
    for (const old of node.owners) if (!owners.some(each => each.uid === old.uid)) unlink(node, old.uid)
    const unknown: GraphNode[] = []
    for (const reference of owners) {
      let owner = nodes.get(reference.uid)
      if (!owner) {
        owner = virtual(reference, object)
        nodes.set(reference.uid, owner)
        unknown.push(owner)
      }
      owner.dependents.add(node)
    }
    node.owners = owners
    return unknown
  }
  function unlink(node: GraphNode, ownerUid: string) {
    const owner = nodes.get(ownerUid)
    owner?.dependents.delete(node)
    if (owner && !owner.object && owner.dependents.size === 0) nodes.delete(ownerUid)
  }

  return {
    get: uid => nodes.get(uid),
    put(resource, object) {
      const { uid = '', name = '', namespace = '' } = object.metadata ?? {}
      let node = nodes.get(uid)
      if (!node?.object) {
        // What a reference said of it may have been wrong: the object itself knows.
        const dependents = node?.dependents ?? new Set<GraphNode>()
        const { apiVersion, kind } = resource
        node = { uid, resource, apiVersion, kind, namespace, name, object, absent: false, owners: [], dependents }
        nodes.set(uid, node)
      }
      // Its kind may be followed by another version now.
      node.resource = resource
      node.object = object
      return { node, unknown: link(node, object) }
    },
    remove(uid) {
      const node = nodes.get(uid)
      if (!node) return undefined
      for (const owner of node.owners) unlink(node, owner.uid)
      // While something refers to it, it is known to be gone: a uid never comes back.
      node.object = undefined
      node.absent = true
      node.owners = []
      if (node.dependents.size === 0) nodes.delete(uid)
      return node
    },
  }
}
