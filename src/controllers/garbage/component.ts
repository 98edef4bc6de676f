/**
 * Deletes what its owners have left behind, and sees foreground and orphaning deletions through
 * (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
 */
import type { KubeObject, OwnerReference } from '../../api/machinery/object.ts'
import { type Client, hasReason } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import type { Resource } from '../../client/resource.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { ServedKinds } from '../served-kinds.ts'
import { createGraph, finalizersOf, type Graph, type GraphNode, isDeleting, isOrphaning, isWaiting } from './graph.ts'

export interface GarbageDeps {
  readonly client: Client
  readonly informers: Informers
  readonly served: ServedKinds
  readonly clock: Clock
  readonly logger: Logger
}

/** Objects that own nothing, come in great numbers and go by themselves. */
const IGNORED = new Set(['v1/events', 'events.k8s.io/v1/events'])
/** Nodes worked on side by side. */
const WORKERS = 16

/** Makes the component. */
export const garbageCollector = (deps: GarbageDeps): Component => ({
  name: 'garbage-collector-controller',
  run: signal => run(deps, signal),
})

async function run(deps: GarbageDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger, served } = deps
  const queue = createWorkQueue<string>(clock)
  const graph = createGraph(served)
  const ends: (() => void)[] = []
  const firstLists: Promise<void>[] = []

  function follow(resource: Resource) {
    if (IGNORED.has(resource.key)) return
    const informer = deps.informers.of(resource)
    firstLists.push(informer.synced())
    ends.push(
      informer.onChange(({ previous, current }) => {
        const uid = (current ?? previous)?.metadata?.uid ?? ''
        for (const each of current ? observe(graph, resource, previous, current) : forget(graph, uid)) queue.add(each)
      }),
    )
  }
  ends.push(served.onAdd(follow))
  // Before everything was seen once, nothing can be said to be missing.
  await Promise.race([
    Promise.all(firstLists),
    new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true })),
  ])

  const context: Context = { graph, deps, wake: uid => queue.add(uid) }
  async function work(uid: string) {
    const node = graph.get(uid)
    if (node) await attend(context, node)
  }
  const problem = 'an object could not be collected'
  await workOff(queue, { work, what: 'uid', problem, logger, workers: WORKERS }, signal)
  for (const end of ends) end()
}

/** Takes a new or changed object in; returns the uids that need attention. */
function observe(graph: Graph, resource: Resource, previous: KubeObject | undefined, current: KubeObject): string[] {
  const { node, unknown } = graph.put(resource, current)
  const result = unknown.map(each => each.uid)
  const ownersChanged = previous && node.owners.length < (previous.metadata?.ownerReferences?.length ?? 0)
  // A dependent that no longer blocks may be what its owner waits for.
  if (ownersChanged) result.push(...(previous.metadata?.ownerReferences ?? []).map(each => each.uid))
  if (isOrphaning(node) || isWaiting(node)) result.push(node.uid)
  for (const { uid } of node.owners) {
    const owner = graph.get(uid)
    if (owner?.absent) result.push(owner.uid)
    if (owner && isWaiting(owner)) result.push(node.uid)
  }
  return result
}

/** Takes a removed object out; its dependents and waiting owners need attention. */
function forget(graph: Graph, uid: string): string[] {
  const node = graph.get(uid)
  if (!node) return []
  const owners = node.owners.map(each => each.uid)
  graph.remove(uid)
  return [...[...node.dependents].map(each => each.uid), ...owners]
}

interface Context {
  readonly graph: Graph
  readonly deps: GarbageDeps
  wake(uid: string): void
}

async function attend(context: Context, node: GraphNode): Promise<void> {
  if (node.absent) {
    for (const dependent of node.dependents) context.wake(dependent.uid)
    return
  }
  if (!node.object) return ask(context, node)
  if (isOrphaning(node)) return orphan(context, node)
  if (isWaiting(node)) return finishForeground(context, node)
  if (isDeleting(node)) return
  await judge(context, node)
}

/** The object itself. That its kind is not served any more says nothing of it: this throws. */
async function find(client: Client, { namespace, name }: GraphNode, resource: Resource) {
  try {
    return await client.kind(resource).get({ namespace, name })
  } catch (error) {
    if (hasReason(error, 'NotFound') && error.status.details?.name) return undefined
    throw error
  }
}

/** Finds out whether a virtual owner exists. If it does its informer will show it. */
async function ask({ graph, deps, wake }: Context, node: GraphNode): Promise<void> {
  // A kind that is not served (yet): nothing can be said, and nothing is deleted.
  node.resource = deps.served.find(node.apiVersion, node.kind)
  if (!node.resource) return
  const object = node.resource.namespaced && !node.namespace ? undefined : await find(deps.client, node, node.resource)
  if (object?.metadata?.uid === node.uid || graph.get(node.uid)?.object) return
  node.absent = true
  for (const dependent of node.dependents) wake(dependent.uid)
}

const refTo = (node: GraphNode) => ({ namespace: node.namespace, name: node.name })

async function patchMetadata({ deps }: Context, node: GraphNode, metadata: object): Promise<void> {
  const { uid, resourceVersion } = node.object?.metadata ?? {}
  const patch = { metadata: { uid, resourceVersion, ...metadata } }
  await deps.client.kind(node.resource!).patch(refTo(node), patch, { type: 'merge' })
}

const removeFinalizer = (context: Context, node: GraphNode, name: string) =>
  patchMetadata(context, node, { finalizers: finalizersOf(node).filter(each => each !== name) })

const keepOwners = (context: Context, node: GraphNode, owners: readonly OwnerReference[]) =>
  patchMetadata(context, node, { ownerReferences: owners.length > 0 ? owners : null })

/** Dependents forget this owner; then it may go. */
async function orphan(context: Context, node: GraphNode): Promise<void> {
  for (const dependent of [...node.dependents]) {
    if (!dependent.object || !dependent.owners.some(each => each.uid === node.uid)) continue
    try {
      await keepOwners(
        context,
        dependent,
        dependent.owners.filter(each => each.uid !== node.uid),
      )
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error
    }
  }
  await removeFinalizer(context, node, 'orphan')
}

/** An owner waits for the dependents that block it. */
async function finishForeground(context: Context, node: GraphNode): Promise<void> {
  const blocking = [...node.dependents].filter(dependent =>
    dependent.owners.some(each => each.uid === node.uid && each.blockOwnerDeletion),
  )
  if (blocking.length === 0) {
    await removeFinalizer(context, node, 'foregroundDeletion')
    for (const dependent of node.dependents) context.wake(dependent.uid)
    return
  }
  for (const dependent of node.dependents) if (!isWaiting(dependent)) context.wake(dependent.uid)
}

/** Decides by its owners: one that stands keeps it, otherwise it goes with them. */
async function judge(context: Context, node: GraphNode): Promise<void> {
  if (node.owners.length === 0) return
  const solid: OwnerReference[] = []
  const waiting: OwnerReference[] = []
  const dangling: OwnerReference[] = []
  for (const reference of node.owners) {
    const owner = context.graph.get(reference.uid)
    if (isGone(node, owner)) dangling.push(reference)
    else if (owner && isWaiting(owner)) waiting.push(reference)
    else solid.push(reference)
  }
  if (solid.length > 0) {
    if (dangling.length + waiting.length > 0) await keepOwners(context, node, solid)
    return
  }
  if (dangling.length + waiting.length === 0) return
  const finalizers = finalizersOf(node)
  let propagationPolicy: 'Orphan' | 'Background' | 'Foreground' = 'Background'
  if (waiting.length > 0 && node.dependents.size > 0) {
    // A circle of owners would wait for itself for ever.
    if ([...node.dependents].some(isWaiting)) {
      await keepOwners(
        context,
        node,
        node.owners.map(each => ({ ...each, blockOwnerDeletion: false })),
      )
    }
    propagationPolicy = 'Foreground'
  } else if (finalizers.includes('orphan')) propagationPolicy = 'Orphan'
  else if (finalizers.includes('foregroundDeletion')) propagationPolicy = 'Foreground'
  await context.deps.client
    .kind(node.resource!)
    .delete(refTo(node), { propagationPolicy, preconditions: { uid: node.uid } })
}

/** Not there, or in a namespace where it cannot own this one. */
function isGone(node: GraphNode, owner: GraphNode | undefined): boolean {
  if (!owner) return true
  if (!owner.object) return owner.absent
  return owner.namespace !== '' && owner.namespace !== node.namespace
}
