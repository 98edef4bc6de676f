/** Brings what informers show of pods, nodes, runtime classes, namespaces and storage into the scheduler's state. */
import { isFinished } from '../api/kinds/core/finished.ts'
import { Namespace } from '../api/kinds/core/namespace.ts'
import { Node } from '../api/kinds/core/node.ts'
import { Pod } from '../api/kinds/core/pod.ts'
import { RuntimeClass } from '../api/kinds/node/runtime-class.ts'
import type { ChangeHandler } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import type { State } from './state.ts'
import type { FollowedStorage } from './storage.ts'

/** Heartbeats and images change nothing for the scheduler. */
function concernsScheduling(before: Node, now: Node): boolean {
  const view = ({ metadata, spec, status }: Node) =>
    JSON.stringify([metadata?.labels, spec?.taints, spec?.unschedulable, status?.allocatable, status?.runtimeHandlers])
  return before.metadata?.uid !== now.metadata?.uid || view(before) !== view(now)
}

/** Takes what is there and follows what changes, pods of the scheduler `name` as its own. Returns the end of it. */
export function followCluster(state: State, informers: Informers, storage: FollowedStorage, name: string): () => void {
  const { snapshot, spread, cycle, queue, assumed, tell, place, displace } = state

  const isOurs = (pod: Pod) => (pod.spec?.schedulerName || 'default-scheduler') === name
  const isWaiting = (pod: Pod) =>
    isOurs(pod) && !pod.spec?.nodeName && !pod.metadata?.deletionTimestamp && !pod.spec?.schedulingGates?.length

  function onPodGone(pod: Pod) {
    const { uid } = podInfoOf(pod)
    queue.remove(uid)
    displace(uid)
  }
  const onPod: ChangeHandler<Pod> = ({ previous, current }) => {
    if (!current) return onPodGone(previous!)
    if (previous && previous.metadata?.uid !== current.metadata?.uid) onPodGone(previous)
    const info = podInfoOf(current)
    const { uid } = info
    const { nodeName } = current.spec ?? {}
    if (nodeName) {
      queue.remove(uid)
      if (isFinished(current)) displace(uid)
      else place(info, nodeName)
    } else if (!isWaiting(current)) queue.remove(uid)
    else if (!assumed.has(uid) && needsTry(previous, info)) queue.add(info)
  }
  /** Its own status (the condition that we write) changes nothing. */
  function needsTry(previous: Pod | undefined, info: PodInfo): boolean {
    if (!queue.has(info.uid) || !previous) return true
    return podInfoOf(previous).template !== info.template
  }
  const onNode: ChangeHandler<Node> = ({ previous, current }) => {
    if (!current) {
      snapshot.removeNode(previous?.metadata?.name ?? '')
      return tell({ type: 'node-gone' })
    }
    if (previous && !concernsScheduling(previous, current)) return
    snapshot.setNode(current)
    tell({ type: 'node', previous, current })
  }
  const onRuntimeClass: ChangeHandler<RuntimeClass> = () => {
    cycle.forget()
    tell({ type: 'runtime-class' })
  }
  const onNamespace: ChangeHandler<Namespace> = ({ previous, current }) => {
    if (JSON.stringify(previous?.metadata?.labels) === JSON.stringify(current?.metadata?.labels)) return
    cycle.forget()
    spread.forget()
  }

  // Pods come last: they find their nodes there.
  const ends = [
    informers.of(Node).onChange(onNode),
    informers.of(RuntimeClass).onChange(onRuntimeClass),
    informers.of(Namespace).onChange(onNamespace),
    storage.follow(() => tell({ type: 'storage' })),
    informers.of(Pod).onChange(onPod),
  ]
  return () => {
    for (const end of ends) end()
  }
}
