/** What of a node is set by its owner, as the fields of KubeletConfiguration have it. */
export interface NodeSettings {
  /** Processes that one pod may have; undefined: any number. */
  readonly podPids?: number | undefined
  /** Longest wait before a container that failed is started again, ms. */
  readonly restartMaxMs: number
  /** Kernel parameters, or prefixes that end in `*`, that pods may set beside the safe ones. */
  readonly unsafeSysctls: readonly string[]
}

/**
 * Without a word of the owner. 4,096 processes are enough for any pod that is sane, and too few to take the machine's:
 * the kubelet has no such limit.
 */
export const DEFAULT_SETTINGS: NodeSettings = { podPids: 4096, restartMaxMs: 300_000, unsafeSysctls: [] }
