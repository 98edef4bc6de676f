/** What a scheduler plugin is. A plugin is a file in `plugins/`, listed in `plugins/all.ts`. */
import type { Node } from '../api/kinds/core/node.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'
import type { Spread } from './spread.ts'
import type { Storage } from './storage.ts'

/** All that plugins may look at. */
export interface View {
  readonly snapshot: Snapshot
  /** Counts of pods per selector and topology. */
  readonly spread: Spread
  readonly storage: Storage
  /** The handler of a RuntimeClass; undefined where there is none of that name. */
  runtimeHandler(runtimeClass: string): string | undefined
  /** Labels of a namespace. */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined
}

/** Something that happened and may let a pod fit that did not. */
export type ClusterEvent =
  | { readonly type: 'node'; readonly previous: Node | undefined; readonly current: Node }
  | { readonly type: 'pod-gone'; readonly pod: PodInfo; readonly nodeName: string }
  /** It was put on a node, or its labels changed there. */
  | { readonly type: 'pod-placed'; readonly pod: PodInfo; readonly nodeName: string }
  | { readonly type: 'node-gone' }
  | { readonly type: 'runtime-class' }
  /** A claim, a volume or a storage class changed. */
  | { readonly type: 'storage' }

/** A plugin's answers for all pods of one template. */
export interface Prepared {
  /** Why no node will do; nothing else is asked then. */
  readonly refusal?: string | undefined
  /** Why this node will not do, as a sentence after a number: `node(s) were unschedulable`. Several may hold. */
  filter?(slot: number): string | readonly string[] | undefined
  /** Whether its refusal of this node holds whatever pods stand there. Default: it does not. */
  hopeless?(slot: number): boolean
  /** How well it suits, 0 to 100. Must depend on nothing but the node, or on what the next two tell. */
  score?(slot: number): number
  /** Slots whose answers changed for reasons that lie outside of them, since the last call; 'all' for every one. */
  affected?(): ReadonlySet<number> | 'all'
}

export interface Plugin {
  readonly name: string
  /** Of its score. */
  readonly weight: number
  /** undefined where it has nothing to say about such pods. */
  prepare(pod: PodInfo, view: View): Prepared | undefined
  /** Events that may let a pod fit that this plugin refused. */
  readonly wokenBy: readonly ClusterEvent['type'][]
  /** Whether such an event may help this pod: a queueing hint (KEP-4247). */
  mayHelp(event: ClusterEvent, pod: PodInfo, view: View): boolean
}
