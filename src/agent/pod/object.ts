/** What is asked of a pod's object in many places. */
import type { Container, ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import { SYSTEM_PRIORITIES } from '../../api/kinds/scheduling/system-priorities.ts'
import type { PodRef } from '../../client/node-api.ts'

/** Annotation of a pod of the node's own: where it comes from. */
export const SOURCE = 'kubernetes.io/config.source'

const CRITICAL = SYSTEM_PRIORITIES['system-cluster-critical']

/** A pod without which the node or the cluster does not work, and the node's own: it is not ended to make room. */
export const isCritical = ({ metadata, spec }: Pod): boolean =>
  metadata?.annotations?.[SOURCE] !== undefined || (spec?.priority ?? 0) >= CRITICAL

/** The containers that a pod begins with: init containers first, in their order. */
export const allContainers = (pod: Pod): readonly Container[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
]

/** Those too that were added to debug it. */
export const withEphemeral = (pod: Pod): readonly Container[] => [
  ...allContainers(pod),
  ...((pod.spec?.ephemeralContainers ?? []) as readonly Container[]),
]

/** What the status says of all of them. */
export const statusesOf = ({ status = {} }: Pod): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
  ...(status.ephemeralContainerStatuses ?? []),
]

/** Its name and uid. */
export const podRef = ({ metadata }: Pod): PodRef => ({
  name: metadata?.name ?? '',
  namespace: metadata?.namespace ?? '',
  uid: metadata?.uid ?? '',
})
