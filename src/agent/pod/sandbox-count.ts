import type { Pod } from '../../api/generated/types/core-v1.ts'

/** Sandboxes that were asked for since the agent began, and those of them that there are not. */
export interface SandboxCounts {
  readonly started: number
  readonly failed: number
}

export interface SandboxCount {
  /** One is to be made now; what it returns is called where it cannot be. */
  began(pod: Pod): () => void
  readonly all: SandboxCounts
  /** Those with users of their own (`hostUsers: false`). */
  readonly ownUsers: SandboxCounts
}

/** Makes one that has counted nothing. */
export function createSandboxCount(): SandboxCount {
  const all = { started: 0, failed: 0 }
  const ownUsers = { started: 0, failed: 0 }
  return {
    all,
    ownUsers,
    began({ spec }) {
      const counts = spec?.hostUsers === false ? [all, ownUsers] : [all]
      for (const each of counts) each.started++
      return () => {
        for (const each of counts) each.failed++
      }
    },
  }
}
