/**
 * What the scheduler knows: which pod stands on which node, which pods wait, and for which of them room is being made.
 * All three are changed here together, so that they always tell one story.
 */
import { Namespace } from '../api/kinds/core/namespace.ts'
import { RuntimeClass } from '../api/kinds/node/runtime-class.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'
import { createCycle } from './cycle.ts'
import { createNominations } from './nominations.ts'
import type { ClusterEvent, Plugin, View } from './plugin.ts'
import { heldTerms } from './plugins/inter-pod-affinity.ts'
import type { PodInfo } from './pod-info.ts'
import { createQueue } from './queue.ts'
import { createSnapshot } from './snapshot.ts'
import { createSpread } from './spread.ts'
import type { Storage } from './storage.ts'

export interface StateDeps {
  readonly informers: Informers
  readonly storage: Storage
  readonly plugins: readonly Plugin[]
  readonly clock: Clock
  /** Called when there is a pod to decide about, and there was none. */
  onReady(): void
}

export type State = ReturnType<typeof createState>

/** Makes a state in which there is no node and no pod. */
export function createState({ informers, storage, plugins, clock, onReady }: StateDeps) {
  const classes = informers.of(RuntimeClass)
  const namespaces = informers.of(Namespace)
  const snapshot = createSnapshot()
  const namespaceLabels = (namespace: string) => namespaces.get(namespace)?.metadata?.labels
  const spread = createSpread(snapshot, info => heldTerms(info, namespaceLabels))
  const view: View = {
    snapshot,
    spread,
    storage,
    runtimeHandler: runtimeClass => classes.get(runtimeClass)?.handler,
    namespaceLabels,
  }
  const cycle = createCycle(view, plugins)
  const queue = createQueue(clock, onReady)
  const nominations = createNominations()
  /** Placed by us, and not yet seen by the informer. */
  const assumed = new Map<string, PodInfo>()

  /** Lets pods try again that this event may help. */
  function tell(event: ClusterEvent) {
    for (const { name: plugin, wokenBy, mayHelp } of plugins) {
      if (wokenBy.includes(event.type)) queue.wake(plugin, ({ info }) => mayHelp(event, info, view))
    }
  }
  /** Brings the snapshot to what the informer says of a pod that has a node. */
  function place(info: PodInfo, nodeName: string) {
    const known = snapshot.pod(info.uid)
    const sameThere = known?.nodeName === nodeName && known.info.template === info.template
    const isLeaving = info.pod.metadata?.deletionTimestamp !== known?.info.pod.metadata?.deletionTimestamp
    assumed.delete(info.uid)
    nominations.remove(info.uid)
    if (sameThere && !isLeaving) return
    snapshot.removePod(info.uid)
    snapshot.addPod(info, nodeName)
    tell({ type: 'pod-placed', pod: info, nodeName })
    // One that shrank leaves room, as one that went.
    const { cpu, memory } = info.requests
    const shrank = known && (cpu < known.info.requests.cpu || memory < known.info.requests.memory)
    if (shrank) tell({ type: 'pod-gone', pod: known.info, nodeName: known.nodeName })
  }
  /** A pod stands nowhere any more. */
  function displace(uid: string) {
    assumed.delete(uid)
    nominations.remove(uid)
    const known = snapshot.pod(uid)
    if (!known) return
    snapshot.removePod(uid)
    tell({ type: 'pod-gone', pod: known.info, nodeName: known.nodeName })
    release(uid)
  }
  /** A victim is gone, or will not go: those whose room is ready now are tried at once. */
  function release(uid: string) {
    for (const info of nominations.gone(uid)) if (queue.has(info.uid)) queue.add(info)
  }

  return { snapshot, spread, view, cycle, queue, nominations, assumed, tell, place, displace, release }
}
