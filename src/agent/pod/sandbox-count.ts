import type { Pod } from '../../api/generated/types/core-v1.ts'
import { counter, type Family } from '../../lib/metrics.ts'

export interface SandboxCount {
  /** One is to be made now; what it returns is called where it cannot be. */
  began(pod: Pod): () => void
  /** Sandboxes that were to be made, and those of them that there are not, by the names that a kubelet has for them. */
  readonly families: readonly Family[]
}

/** Makes one that has counted nothing. */
export function createSandboxCount(): SandboxCount {
  const families: Family[] = []
  function count(name: string, help: string) {
    const family = counter(`kubelet_${name}_total`, help)
    families.push(family)
    return family.at()
  }
  const all = {
    started: count('started_pods', 'Sandboxes that were to be made for pods.'),
    failed: count('started_pods_errors', 'Sandboxes that could not be made.'),
  }
  const ownUsers = {
    started: count('started_user_namespaced_pods', 'Those for pods with users of their own.'),
    failed: count('started_user_namespaced_pods_errors', 'Those of them that could not be made.'),
  }
  return {
    families,
    began({ spec }) {
      const counts = spec?.hostUsers === false ? [all, ownUsers] : [all]
      for (const { started } of counts) started.value++
      return () => {
        for (const { failed } of counts) failed.value++
      }
    },
  }
}
