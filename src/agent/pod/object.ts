/** What is asked of a pod's object in many places. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodRef } from '../../client/node-api.ts'

/** Its name and uid. */
export const podRef = ({ metadata }: Pod): PodRef => ({
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
  uid: metadata?.uid ?? '',
})
