/**
 * What a pod asks for as a whole: its containers and sidecars, or its largest init container with the sidecars before
 * it; what the pod says of itself goes before both (KEP-753, KEP-2837).
 */
import type { Container, ContainerStatus, Pod } from '../generated/types/core-v1.ts'
import { isSidecar } from '../kinds/core/pod-containers.ts'
import { isPodLevel, type ResourceList } from '../kinds/core/resources.ts'
import { compareQuantities, isZeroQuantity } from '../machinery/quantity.ts'
import { add, max } from './amounts.ts'

type Side = 'requests' | 'limits'

export interface PodResourcesOptions {
  /** Adds the overhead of the runtime class. */
  readonly overhead?: boolean
  /** Counts what containers have, where that is more than what they ask for (resize in place). */
  readonly status?: boolean
}

/** Whether the pod says what it asks for as a whole. */
export const hasPodResources = ({ spec }: Pod): boolean =>
  [...Object.keys(spec?.resources?.requests ?? {}), ...Object.keys(spec?.resources?.limits ?? {})].some(isPodLevel)

function ownAmounts(container: Container, side: Side, statuses: ReadonlyMap<string, ContainerStatus>): ResourceList {
  const asked = container.resources?.[side] ?? {}
  const status = statuses.get(container.name)
  if (!status?.resources) return asked
  const actual = max(asked, status.resources[side] ?? {})
  return side === 'requests' ? max(actual, status.allocatedResources ?? {}) : actual
}

/**
 * What containers ask for together, or are limited to: all at once, or one init container at a time with the sidecars
 * before it. `useStatus`: or what they have, where that is more. Amounts must be quantities.
 */
export function containersTogether(
  { spec, status }: Pick<Pod, 'spec' | 'status'>,
  side: Side,
  useStatus = false,
): ResourceList {
  const all = useStatus ? [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])] : []
  const statuses = new Map(all.map(each => [each.name, each]))
  let total: ResourceList = {}
  for (const container of spec?.containers ?? []) total = add(total, ownAmounts(container, side, statuses))
  let sidecars: ResourceList = {}
  let largest: ResourceList = {}
  for (const container of spec?.initContainers ?? []) {
    if (isSidecar(container)) {
      const own = ownAmounts(container, side, statuses)
      total = add(total, own)
      sidecars = add(sidecars, own)
      largest = max(largest, sidecars)
    } else largest = max(largest, add(container.resources?.[side] ?? {}, sidecars))
  }
  return max(total, largest)
}

function withOverhead(amounts: ResourceList, overhead: ResourceList, side: Side): ResourceList {
  if (side === 'requests') return add(amounts, overhead)
  const limited = Object.entries(overhead).filter(([name]) => amounts[name] && !isZeroQuantity(amounts[name]))
  return add(amounts, Object.fromEntries(limited))
}

/** The requests, or the limits, of a whole pod. */
export function podAmounts(pod: Pod, side: Side, options: PodResourcesOptions = {}): ResourceList {
  const result = containersTogether(pod, side, options.status)
  for (const [name, amount] of Object.entries(pod.spec?.resources?.[side] ?? {}))
    if (isPodLevel(name)) result[name] = amount
  const { overhead } = pod.spec ?? {}
  return options.overhead && overhead ? withOverhead(result, overhead, side) : result
}

/** Whether a pod ends by itself after some time. */
export const isTimeLimited = ({ spec }: Pod): boolean =>
  spec?.activeDeadlineSeconds !== undefined && compareQuantities(spec.activeDeadlineSeconds, 0) >= 0
