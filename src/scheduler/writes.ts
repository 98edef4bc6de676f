/** What the scheduler says to the API: bindings, why a pod has no node, and pods that must make room. */
import { Pod } from '../api/kinds/core/pod.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import type { Client } from '../client/client.ts'
import type { Lister } from '../client/informer-types.ts'
import type { SeriesRecorder } from '../client/series-recorder.ts'
import type { Clock } from '../lib/clock.ts'
import type { PodInfo } from './pod-info.ts'

export interface WritesDeps {
  readonly client: Client
  readonly recorder: SeriesRecorder
  readonly pods: Lister<Pod>
  readonly clock: Clock
  /** The scheduler's name. */
  readonly name: string
}

/** Each resolves when the API has it, and rejects with what the API said against it. */
export interface Writes {
  bind(info: PodInfo, nodeName: string): Promise<void>
  /** Tells in an event and a condition that no node takes the pod; it may have the promise of one. */
  unschedulable(info: PodInfo, message: string, nominatedNodeName: string | null): Promise<void>
  /** Tells in an event only. */
  failed(info: PodInfo, message: string): void
  /** Deletes a pod, so that `preemptor` may have its place. */
  evict(victim: PodInfo, preemptor: PodInfo, nodeName: string): Promise<void>
}

/** The generation of the pod that a condition speaks of. */
const observed = ({ metadata }: Pod) =>
  metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }

const refTo = ({ pod }: PodInfo) => ({ namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' })

/** Events need to say what they are about, also where a cache dropped it. */
const withKind = (pod: Pod): Pod => (pod.kind ? pod : { ...pod, apiVersion: 'v1', kind: 'Pod' })

/** Makes the writer of one scheduler. */
export function createWrites({ client, recorder, pods, clock, name }: WritesDeps): Writes {
  const kind = client.kind(Pod)
  /** Adds a condition to the pod of this uid. */
  const condition = async (info: PodInfo, next: object, status: object = {}) => {
    const patch = { metadata: { uid: info.pod.metadata?.uid }, status: { conditions: [next], ...status } }
    await kind.patch(refTo(info), patch, { type: 'strategic', subresource: 'status' })
  }

  function fail(pod: Pod, note: string) {
    const regarding = withKind(pod)
    recorder.event({ regarding, type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note })
  }
  async function refuse(info: PodInfo, message: string, nominatedNodeName: string | null) {
    const old = info.pod.status?.conditions?.find(each => each.type === 'PodScheduled')
    const isTold = old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message
    if (isTold && (info.pod.status?.nominatedNodeName ?? null) === nominatedNodeName) return
    const now = rfc3339(clock.now())
    const next = {
      type: 'PodScheduled',
      ...observed(info.pod),
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' && old.lastTransitionTime ? old.lastTransitionTime : now,
    }
    await condition(info, next, { nominatedNodeName })
  }

  return {
    async bind(info, nodeName) {
      const { pod, namespace, key } = info
      const { name: podName = '', uid } = pod.metadata ?? {}
      const metadata = { name: podName, namespace, ...(uid && { uid }) }
      const target = { kind: 'Node', apiVersion: 'v1', name: nodeName }
      await kind.subresource(refTo(info), 'binding', { kind: 'Binding', apiVersion: 'v1', metadata, target })
      recorder.event({
        regarding: withKind(pod),
        type: 'Normal',
        reason: 'Scheduled',
        action: 'Binding',
        note: `Successfully assigned ${key} to ${nodeName}`,
      })
    },
    unschedulable(info, message, nominatedNodeName) {
      const pod = pods.get(info.key) ?? info.pod
      fail(pod, message)
      return refuse({ ...info, pod }, message, nominatedNodeName)
    },
    failed: (info, message) => fail(info.pod, message),
    async evict(victim, preemptor, nodeName) {
      const pod = pods.get(victim.key) ?? victim.pod
      const { deletionTimestamp, uid } = pod.metadata ?? {}
      if (deletionTimestamp) return
      await condition(
        { ...victim, pod },
        {
          type: 'DisruptionTarget',
          ...observed(pod),
          status: 'True',
          reason: 'PreemptionByScheduler',
          message: `${name}: preempting to accommodate a higher priority pod`,
          lastTransitionTime: rfc3339(clock.now()),
        },
      )
      await kind.delete(refTo(victim), { ...(uid && { preconditions: { uid } }) })
      recorder.event({
        regarding: withKind(pod),
        related: withKind(preemptor.pod),
        type: 'Normal',
        reason: 'Preempted',
        action: 'Preempting',
        note: `Preempted by pod ${preemptor.uid} on node ${nodeName}`,
      })
    },
  }
}
