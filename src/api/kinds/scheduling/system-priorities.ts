/** PriorityClasses that Kubernetes itself brings, and their values: from the lower one on a pod is the system's. */
export const SYSTEM_PRIORITIES = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
} as const
