/**
 * Empties namespaces that are being deleted and then lets them go: pods first, then everything else. What is left
 * wakes it when it goes.
 */
import type { NamespaceCondition } from '../../api/generated/types/core-v1.ts'
import { Namespace } from '../../api/kinds/core/namespace.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { type Client, hasReason } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import type { Resource } from '../../client/resource.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import { equalJson } from '../../lib/json.ts'
import type { Logger } from '../../lib/log.ts'
import type { ServedKinds } from '../served-kinds.ts'
import { conditionsOf, type Remains } from './conditions.ts'

const FINALIZER = 'kubernetes'

export interface NamespaceDeps {
  readonly client: Client
  readonly informers: Informers
  readonly served: ServedKinds
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the component. */
export const namespaceController = (deps: NamespaceDeps): Component => ({
  name: 'namespace-controller',
  run: signal => run(deps, signal),
})

async function run(deps: NamespaceDeps, signal: AbortSignal): Promise<void> {
  const { clock, logger } = deps
  const queue = createWorkQueue<string>(clock)
  const namespaces = deps.informers.of<Namespace>(Namespace)
  const ends: (() => void)[] = []
  ends.push(
    namespaces.onChange(({ current }) => {
      if (current?.metadata?.deletionTimestamp) queue.add(current.metadata.name ?? '')
    }),
  )
  const follow = (resource: Resource) => {
    const end = deps.informers.of(resource).onChange(({ previous, current }) => {
      const name = previous?.metadata?.namespace
      const wasReleased = previous?.metadata?.finalizers?.length !== current?.metadata?.finalizers?.length
      if (!name || (current && !wasReleased)) return
      if (namespaces.get(name)?.metadata?.deletionTimestamp) queue.add(name)
    })
    ends.push(end)
  }
  ends.push(deps.served.onAdd(resource => resource.namespaced && follow(resource)))
  async function work(name: string) {
    const namespace = namespaces.get(name)
    if (namespace?.metadata?.deletionTimestamp) await clear(deps, namespace)
  }
  await workOff(queue, { work, what: 'namespace', problem: 'a namespace was not cleared', logger }, signal)
  for (const end of ends) end()
}

/** One round of deletion; the namespace goes when nothing is left. */
async function clear(deps: NamespaceDeps, namespace: Namespace): Promise<void> {
  const name = namespace.metadata?.name ?? ''
  if (!namespace.spec?.finalizers?.includes(FINALIZER)) return
  const others = deps.served.list().filter(each => each.namespaced && each.key !== Pod.key)
  const remains: Remains = new Map()
  await empty(deps.client, Pod, name, remains)
  // Pods may need what else is here until their very end.
  if (remains.size === 0) for (const resource of others) await empty(deps.client, resource, name, remains)
  await writeConditions(deps, namespace, remains)
  if (remains.size > 0) return
  const latest = await deps.client.kind<Namespace>(Namespace).find({ name })
  if (!latest?.metadata?.deletionTimestamp) return
  const finalizers = (latest.spec?.finalizers ?? []).filter(each => each !== FINALIZER)
  const next = structuredClone({ ...latest, spec: { ...latest.spec, finalizers } })
  await deps.client.kind<Namespace>(Namespace).subresource({ name }, 'finalize', next, 'PUT')
}

/** Deletes what there is of a kind and notes what stays. */
async function empty(client: Client, resource: Resource, namespace: string, remains: Remains): Promise<void> {
  const objects = client.kind(resource)
  const list = async (): Promise<readonly KubeObject[]> => {
    try {
      return (await objects.list({ namespace })).items
    } catch (error) {
      // The definition of a custom kind went first.
      if (hasReason(error, 'NotFound', 'MethodNotAllowed')) return []
      throw error
    }
  }
  const found = await list()
  if (found.length === 0) return
  if (found.some(each => !each.metadata?.deletionTimestamp)) {
    await objects.deleteCollection({ namespace }, { propagationPolicy: 'Background' })
  }
  const left = await list()
  if (left.length > 0) remains.set(resource, left)
}

async function writeConditions(deps: NamespaceDeps, namespace: Namespace, remains: Remains): Promise<void> {
  const conditions = conditionsOf(namespace.status?.conditions, remains, deps.clock.now())
  const status = { ...namespace.status, phase: 'Terminating', conditions } as { conditions: NamespaceCondition[] }
  if (equalJson(status, namespace.status)) return
  await deps.client.kind<Namespace>(Namespace).updateStatus(structuredClone({ ...namespace, status }) as Namespace)
}
