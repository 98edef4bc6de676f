/**
 * Which pod has to go first when a node runs short of something, and what is said of it (Kubernetes documentation,
 * "Pod selection for kubelet eviction"). Pure.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { formatQuantity, parseQuantity, quantityOf, quantityValue } from '../../api/machinery/quantity.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import type { DiskUsage } from '../disk/limits.ts'
import type { Observation } from './judge.ts'
import { amountOf, isOfImages, SIGNALS, type Signal, type Threshold } from './thresholds.ts'

/** What a pod uses of what runs short, by container where that is known. */
export interface Candidate {
  readonly pod: Pod
  /** Bytes, or processes; undefined where it cannot be told. */
  readonly used: number | undefined
  readonly containers: ReadonlyMap<string, number>
}

/**
 * What a pod takes of the disk that a signal is about. `where`: images lie on the node's own disk, on another with what
 * the pod's containers write beside volumes and logs, or on another of which the pod has nothing.
 */
export function usedOnDisk(
  signal: Signal,
  { total, layers }: Pick<DiskUsage, 'total' | 'layers'>,
  where: 'one disk' | 'two disks' | 'the other disk',
): number {
  if (where === 'one disk') return total
  const there = where === 'two disks' ? layers : 0
  return isOfImages(signal) ? there : total - there
}

const priorityOf = ({ pod }: Candidate) => pod.spec?.priority ?? 0

/** Which of the resources that pods request is meant; processes are not requested. */
type Requested = 'memory' | 'ephemeral-storage'
const requestable = (resource: string): Requested | undefined =>
  resource === 'pids' ? undefined : resource === 'memory' ? 'memory' : 'ephemeral-storage'

/** The pods in the order in which they are to go: beyond their requests first, then by priority, then by how far. */
export function inOrderOfEviction<T extends Candidate>(candidates: readonly T[], { signal }: Threshold): T[] {
  const requested = requestable(SIGNALS[signal].resource)
  return candidates
    .map(each => {
      const text = requested && podAmounts(each.pod, 'requests', { overhead: true })[requested]
      const beyond = (each.used ?? 0) - (text ? quantityValue(text) : 0)
      return { each, unknown: each.used === undefined, beyond, exceeds: requested !== undefined && beyond > 0 }
    })
    .sort(
      (a, b) =>
        Number(b.unknown) - Number(a.unknown) ||
        Number(b.exceeds) - Number(a.exceeds) ||
        priorityOf(a.each) - priorityOf(b.each) ||
        b.beyond - a.beyond,
    )
    .map(({ each }) => each)
}

const written = (amount: number, isBytes: boolean) =>
  formatQuantity(quantityOf(Math.round(amount), isBytes ? 'BinarySI' : 'DecimalSI'))

/** Why a pod has to go, in the kubelet's words. */
export function evictionMessage(
  threshold: Threshold,
  { available, capacity }: Observation,
  { pod, used, containers }: Candidate,
): string {
  const { resource } = SIGNALS[threshold.signal]
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage'
  const asked = written(amountOf(threshold.below, capacity), isBytes)
  const parts = [
    `The node was low on resource: ${resource}. `,
    `Threshold quantity: ${asked}, available: ${written(available, isBytes)}. `,
  ]
  const tell = (title: string, amount: number, request: string | undefined) => {
    const text = request ?? '0'
    if (amount > quantityValue(parseQuantity(text)))
      parts.push(
        `${title} was using ${written(amount, isBytes)}, request is ${text}, has larger consumption of ${resource}. `,
      )
  }
  if (!isBytes) return parts.join('')
  const whole = resource === 'memory' ? pod.spec?.resources?.requests?.memory : undefined
  if (whole !== undefined && used !== undefined) tell(`Pod ${pod.metadata?.name}`, used, whole)
  for (const { name, resources } of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
    tell(`Container ${name}`, containers.get(name) ?? 0, resources?.requests?.[resource])
  return parts.join('')
}
