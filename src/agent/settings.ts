/** What of a node is set by its owner, as the fields of KubeletConfiguration have it. */
import type { ImageGarbageSettings } from './node/image-garbage.ts'
import { readThresholds } from './pressure/thresholds.ts'
import type { EvictionSettings } from './pressure/watch.ts'
import type { ProviderSettings } from './pulls/provider.ts'
import type { VerificationSettings } from './pulls/records.ts'
import type { ShutdownPeriod } from './shutdown/periods.ts'

export interface NodeSettings {
  /** Processes that one pod may have; undefined: any number. */
  readonly podPids?: number | undefined
  /** Longest wait before a container that failed is started again, ms. */
  readonly restartMaxMs: number
  /** Kernel parameters, or prefixes that end in `*`, that pods may set beside the safe ones. */
  readonly unsafeSysctls: readonly string[]
  /** Images that are pulled at once. */
  readonly parallelPulls: number
  readonly imageGarbage: ImageGarbageSettings
  /** Which images on the node are for every pod. */
  readonly verification: VerificationSettings
  /** Programs that know proof for registries. */
  readonly credentialProviders: readonly ProviderSettings[]
  /** When pods are evicted for want of memory, disk or processes. */
  readonly eviction: EvictionSettings
  /** How long pods have when the machine shuts down, by priority; none: nothing is done about that. */
  readonly shutdown: readonly ShutdownPeriod[]
}

/**
 * Without a word of the owner. 4,096 processes are enough for any pod that is sane, and too few to take the machine's:
 * the kubelet has no such limit. Each pull has several downloads of its own: one at a time, as the kubelet has it, lets
 * every pod wait for the largest image.
 */
export const DEFAULT_SETTINGS: NodeSettings = {
  podPids: 4096,
  restartMaxMs: 300_000,
  unsafeSysctls: [],
  parallelPulls: 3,
  imageGarbage: { highPercent: 85, lowPercent: 80, minAgeMs: 120_000 },
  verification: { policy: 'NeverVerifyPreloadedImages', allowlist: [] },
  credentialProviders: [],
  eviction: { thresholds: readThresholds(), transitionMs: 300_000, longestGraceMs: 0 },
  shutdown: [],
}
