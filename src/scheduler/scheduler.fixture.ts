/** Nodes and pods for the scheduler's tests and benchmark, and a cycle over them without a cluster. */
import type { Node } from '../api/kinds/core/node.ts'
import type { Pod } from '../api/kinds/core/pod.ts'
import { createCycle, type Decision } from './cycle.ts'
import type { View } from './plugin.ts'
import { plugins } from './plugins/all.ts'
import { heldTerms } from './plugins/inter-pod-affinity.ts'
import { podInfoOf } from './pod-info.ts'
import { createSnapshot } from './snapshot.ts'
import { createSpread } from './spread.ts'
import { noStorage, type Storage } from './storage.ts'

export interface NodeOptions {
  readonly labels?: Record<string, string>
  readonly taints?: NonNullable<Node['spec']>['taints']
  readonly unschedulable?: boolean
  readonly allocatable?: Record<string, string>
  readonly handlers?: readonly string[]
}

/** A node of 4 cpus, 8 GiB and 110 pods, with its host name as a label. */
export function nodeOf(name: string, options: NodeOptions = {}): Node {
  const { labels, taints, unschedulable, allocatable, handlers } = options
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable },
      ...(handlers && { runtimeHandlers: handlers.map(each => (each ? { name: each } : {})) }),
    },
  }
}

export interface PodOptions {
  readonly labels?: Record<string, string>
  readonly requests?: Record<string, string>
  readonly owner?: string
  readonly spec?: Partial<NonNullable<Pod['spec']>>
}

/** A pod of one container. */
export function podOf(name: string, { labels, requests, owner, spec }: PodOptions = {}): Pod {
  const references = owner && [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      ...(labels && { labels }),
      ...(references && { ownerReferences: references }),
    },
    spec: { containers: [{ name: 'main', image: 'v1', ...(requests && { resources: { requests } }) }], ...spec },
  }
}

/** The decision part of the scheduler by itself. */
export function bench(runtimeClasses: Readonly<Record<string, string>> = {}, storage: Storage = noStorage) {
  const snapshot = createSnapshot()
  const namespaceLabels = (namespace: string) => ({ 'kubernetes.io/metadata.name': namespace })
  const spread = createSpread(snapshot, info => heldTerms(info, namespaceLabels))
  const view: View = { snapshot, spread, storage, namespaceLabels, runtimeHandler: name => runtimeClasses[name] }
  const cycle = createCycle(view, plugins)
  return {
    view,
    cycle,
    snapshot,
    decide: (pod: Pod): Decision => cycle.decide(podInfoOf(pod)),
    /** Decides and puts the pod there; the node, or the message. */
    schedule(pod: Pod): string {
      const info = podInfoOf(pod)
      const decision = cycle.decide(info)
      if ('refusal' in decision) return decision.refusal.message
      snapshot.addPod(info, decision.nodeName)
      return decision.nodeName
    },
  }
}
