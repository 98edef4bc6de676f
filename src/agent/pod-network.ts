/**
 * What the agent needs of a pod network. `network/` provides it; `cmd/` puts the two together. Where pods have network
 * namespaces of their own, processes enter one by path; in the portable mode they share the machine's and get ports.
 */
import type { IdMapping } from '../lib/user-namespace.ts'

export interface PodNetworkRequest {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly hostname: string
  /** Ids of the user namespace to which its network namespace belongs; the machine's when absent. */
  readonly userNamespace?: readonly IdMapping[]
  /** containerPort numbers in order of declaration. */
  readonly ports: readonly {
    readonly containerPort: number
    readonly protocol: string
    readonly hostPort?: number
    readonly hostIP?: string
  }[]
}

export interface PodNetworkResult {
  /** The pod's addresses, first the primary. */
  readonly ips: readonly string[]
  /** Path of the network namespace to enter; undefined: the agent's own (portable mode). */
  readonly netns?: string
  /**
   * Portable mode: the real port for each declared containerPort. The agent writes it to the pod's annotation
   * `tutti.dev/ports` (JSON object, containerPort → port), by which endpoints are made, and sets PORT to the first.
   */
  readonly ports?: Readonly<Record<number, number>>
}

/** What went through a link, as its pod counts it. */
export interface Traffic {
  readonly received: Counts
  readonly sent: Counts
}

export interface Counts {
  readonly bytes: number
  readonly packets: number
  readonly errors: number
  readonly dropped: number
}

/** Both calls are idempotent by uid: after a restart of the agent, `setup` finds what stands. */
export interface PodNetwork {
  setup(pod: PodNetworkRequest): Promise<PodNetworkResult>
  teardown(uid: string): Promise<void>
  /**
   * Before the containers of a pod that was deleted are ended: resolves when services lead nobody to it any more, after
   * `withinMs` and after a second at most. Absent where there are none.
   */
  leave?(pod: { readonly uid: string; readonly ips: readonly string[]; readonly withinMs: number }): Promise<void>
  /** What a resolv.conf in a pod holds for ClusterFirst. */
  readonly dns: { readonly servers: readonly string[]; readonly clusterDomain: string }
  /** uids of pods that have a network now, to be swept after a restart. */
  list(): Promise<readonly string[]>
  /** What went through the links of pods so far, by uid; absent where pods have none of their own. */
  traffic?(): ReadonlyMap<string, Traffic>
}
