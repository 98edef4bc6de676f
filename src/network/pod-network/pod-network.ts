/**
 * A pod network as this folder provides it: structurally the contract `agent/pod-network.ts` (components of one level
 * do not import each other; `cmd/nodes.ts` hands the one to the other).
 */

import type { IdMapping } from '../../lib/user-namespace.ts'
import type { Traffic } from './traffic.ts'

export interface PodRequest {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly hostname: string
  /** Ids of the user namespace to which its network namespace belongs; the machine's when absent. */
  readonly userNamespace?: readonly IdMapping[]
  readonly ports: readonly {
    readonly containerPort: number
    readonly protocol: string
    readonly hostPort?: number
    readonly hostIP?: string
  }[]
}

export interface PodAddresses {
  readonly ips: readonly string[]
  readonly netns?: string
  readonly ports?: Readonly<Record<number, number>>
}

export interface PodNetwork {
  /** Gives a pod its network; finds what stands when it has one. */
  setup(pod: PodRequest): Promise<PodAddresses>
  /** Takes it away; harmless for an unknown uid. */
  teardown(uid: string): Promise<void>
  /** Resolves when services lead nobody to the pod any more, or have not let go of it in time. */
  leave?(pod: { readonly uid: string; readonly ips: readonly string[]; readonly withinMs: number }): Promise<void>
  readonly dns: { readonly servers: readonly string[]; readonly clusterDomain: string }
  list(): Promise<readonly string[]>
  /** What went through the links of pods so far, by uid; absent where pods have none of their own. */
  traffic?(): ReadonlyMap<string, Traffic>
}
