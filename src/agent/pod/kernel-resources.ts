/** What the kernel is told of a pod's resources: limits of containers and of the pod as a whole, and who is killed first. */
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import { isSidecar, lastingContainers } from '../../api/kinds/core/pod-containers.ts'
import { isHugePages, qosClass } from '../../api/kinds/core/resources.ts'
import { SYSTEM_PRIORITIES } from '../../api/kinds/scheduling/system-priorities.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import { hasPodResources, podAmounts } from '../../api/quota/pod-resources.ts'
import type { Resources } from '../runtimes/runtime.ts'
import { allContainers } from './object.ts'

/** Microseconds. */
const PERIOD = 100_000
const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MIN_QUOTA = 1000

const shares = (milli: number) => Math.min(Math.max(Math.floor((milli * 1024) / 1000), MIN_SHARES), MAX_SHARES)
const milli = (list: Readonly<Record<string, string>> | undefined, name: string) =>
  list?.[name] === undefined ? 0 : milliValue(list[name])
const bytes = (list: Readonly<Record<string, string>> | undefined, name: string) =>
  list?.[name] === undefined ? 0 : quantityValue(list[name])

const quota = (cpu: number) =>
  cpu > 0 ? { cpuQuota: Math.max((cpu * PERIOD) / 1000, MIN_QUOTA), cpuPeriod: PERIOD } : {}
const memory = (limit: number) => (limit > 0 ? { memoryLimit: limit } : {})

/** `hugepages-2Mi: 4Mi` as `{ '2MB': 4194304 }`: the kernel's names. */
function hugepages(list: Readonly<Record<string, string>> | undefined): Pick<Resources, 'hugepageLimits'> {
  const found = Object.entries(list ?? {}).filter(([name]) => isHugePages(name))
  if (found.length === 0) return {}
  return { hugepageLimits: Object.fromEntries(found.map(([name, amount]) => [pageSize(name), quantityValue(amount)])) }
}
function pageSize(name: string): string {
  let size = quantityValue(name.slice('hugepages-'.length))
  let unit = 0
  for (; size >= 1024 && unit < 3; unit++) size /= 1024
  return `${size}${['B', 'KB', 'MB', 'GB'][unit]}`
}

/**
 * Limits of one container. A limit without a request counts as the request; where a container says no limit, that of
 * the pod as a whole stands (KEP-2837).
 */
export function containerResources(pod: Pod, { resources = {} }: Pick<Container, 'resources'>): Resources {
  const ofPod = hasPodResources(pod) ? pod.spec?.resources?.limits : undefined
  const cpu = milli(resources.limits, 'cpu') || milli(ofPod, 'cpu')
  const request = resources.requests?.cpu === undefined ? cpu : milli(resources.requests, 'cpu')
  return {
    cpuShares: shares(request),
    ...quota(cpu),
    ...memory(bytes(resources.limits, 'memory') || bytes(ofPod, 'memory')),
    ...hugepages(resources.limits),
    oomGroup: true,
  }
}

/**
 * Limits of the pod's own control group: what it and its containers ask for together, with the overhead of its runtime
 * class; limits only where every container, or the pod itself, has one.
 */
export function podResources(pod: Pod, podPids?: number): Resources {
  const pids = podPids === undefined ? {} : { pidsLimit: podPids }
  if (qosClass(pod) === 'BestEffort') return { cpuShares: MIN_SHARES, ...pids }
  const limits = podAmounts(pod, 'limits', { overhead: true })
  const requests = podAmounts(pod, 'requests', { overhead: true })
  const limited = (name: string) =>
    milli(pod.spec?.resources?.limits, name) > 0 ||
    allContainers(pod).every(each => milli(each.resources?.limits, name) > 0)
  return {
    cpuShares: shares(milli(requests, 'cpu')),
    ...(limited('cpu') ? quota(milli(limits, 'cpu')) : {}),
    ...(limited('memory') ? memory(bytes(limits, 'memory')) : {}),
    ...hugepages(limits),
    ...pids,
  }
}

/** What the sandbox itself takes, by its runtime class; undefined where that is nothing. */
export function overheadResources(pod: Pod): Resources | undefined {
  const overhead = pod.spec?.overhead
  if (!overhead) return undefined
  return {
    cpuShares: shares(milli(overhead, 'cpu')),
    ...quota(milli(overhead, 'cpu')),
    ...memory(bytes(overhead, 'memory')),
  }
}

const GUARANTEED_OOM = -997
const BEST_EFFORT_OOM = 1000
const NODE_CRITICAL = SYSTEM_PRIORITIES['system-node-critical']

/** Memory that the pod asks for beyond its containers, for each of them. */
function shareOfRest(pod: Pod): number {
  const ofPod = pod.spec?.resources?.requests
  if (!ofPod?.memory) return 0
  const all = lastingContainers(pod)
  const asked = all.reduce((sum, each) => sum + bytes(each.resources?.requests, 'memory'), 0)
  const rest = bytes(ofPod, 'memory') - asked
  return rest > 0 && all.length > 0 ? Math.floor(rest / all.length) : 0
}

/**
 * oom_score_adj of a container (https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/): the
 * less memory a Burstable pod asks for, the sooner it is killed. `capacity` is the machine's memory in bytes.
 */
export function oomScoreAdj(pod: Pod, container: Container, capacity: number): number {
  if ((pod.spec?.priority ?? 0) >= NODE_CRITICAL) return GUARANTEED_OOM
  const quality = qosClass(pod)
  if (quality === 'Guaranteed') return GUARANTEED_OOM
  if (quality === 'BestEffort') return BEST_EFFORT_OOM
  const rest = shareOfRest(pod)
  const score = (request: number) => 1000 - Math.floor((1000 * (request + rest)) / capacity)
  const own = score(bytes(container.resources?.requests, 'memory'))
  const mains = (pod.spec?.containers ?? []).map(each => bytes(each.resources?.requests, 'memory'))
  // A sidecar goes no sooner than what it serves.
  const adjusted = isSidecar(container) ? Math.min(own, score(Math.min(...mains))) : own
  return Math.min(Math.max(adjusted, 1000 + GUARANTEED_OOM), BEST_EFFORT_OOM - 1)
}

/** Whether two descriptions of CPU and memory are the same to the kernel. */
export const sameLimits = (a: Resources, b: Resources): boolean =>
  a.cpuShares === b.cpuShares &&
  (a.cpuQuota ?? 0) === (b.cpuQuota ?? 0) &&
  (a.memoryLimit ?? 0) === (b.memoryLimit ?? 0)
