/** What is asked of a pod's object in many places. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodRef } from '../../client/node-api.ts'

/** Priority from which on a pod is the system's. */
const CRITICAL = 2_000_000_000

/** A pod without which the node or the cluster does not work, and the node's own: it is not ended to make room. */
export const isCritical = ({ metadata, spec }: Pod): boolean =>
  metadata?.annotations?.['kubernetes.io/config.source'] !== undefined || (spec?.priority ?? 0) >= CRITICAL

/** Its name and uid. */
export const podRef = ({ metadata }: Pod): PodRef => ({
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
  uid: metadata?.uid ?? '',
})
