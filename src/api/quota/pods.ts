import type { Pod } from '../generated/types/core-v1.ts'
import { isFinished } from '../kinds/core/finished.ts'
import { isExtendedResource, type ResourceList } from '../kinds/core/resources.ts'
import { type Amounts, add } from './amounts.ts'
import type { Evaluator } from './evaluator.ts'
import { hasPodResources, isTimeLimited, podAmounts } from './pod-resources.ts'
import { podInScope } from './scopes.ts'

const COUNT = 'count/pods'
const BASIC = ['cpu', 'memory', 'ephemeral-storage']
const NAMES = new Set([
  COUNT,
  'pods',
  ...BASIC,
  ...BASIC.map(name => `requests.${name}`),
  ...BASIC.map(name => `limits.${name}`),
])
/** What a container must say where a quota limits it. */
const REQUIRED = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']
const DEVICE_CLASS = 'deviceclass.resource.kubernetes.io/'

const isExtended = (name: string) => isExtendedResource(name) || name.startsWith(DEVICE_CLASS)

/** Whether a quota's name is about an extended resource: `requests.example.com/gpu`. */
function limitsExtended(name: string): boolean {
  return name.startsWith('requests.') && isExtended(name.slice('requests.'.length))
}

/** What requests and limits count as. */
function counted(requests: Amounts, limits: Amounts): ResourceList {
  const result: ResourceList = { pods: '1' }
  for (const name of BASIC) {
    const request = requests[name]
    if (request !== undefined) {
      result[name] = request
      result[`requests.${name}`] = request
    }
    if (limits[name] !== undefined) result[`limits.${name}`] = limits[name]
  }
  for (const [name, amount] of Object.entries(requests)) {
    if (name.startsWith('hugepages-')) result[name] = amount
    if (name.startsWith('hugepages-') || isExtended(name)) result[`requests.${name}`] = amount
  }
  return result
}

/** Has ended, or should have by now: it takes nothing but its place. */
function isOver(pod: Pod, now: number): boolean {
  if (isFinished(pod)) return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata ?? {}
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return false
  return now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

function missing(pod: Pod, names: readonly string[]): string | undefined {
  if (hasPodResources(pod)) return undefined
  const required = REQUIRED.filter(name => names.includes(name)).sort()
  const lacking = required.flatMap(name => {
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
      .filter(({ resources }) => counted(resources?.requests ?? {}, resources?.limits ?? {})[name] === undefined)
      .map(container => container.name)
    return containers.length ? [`${name} for: ${[...new Set(containers)].sort().join(',')}`] : []
  })
  return lacking.length ? `must specify ${lacking.join('; ')}` : undefined
}

/** Pods: their number, what they request and their limits, while they run. */
export const podEvaluator: Evaluator = {
  charges({ operation, subresource, object, old }) {
    if (subresource === 'resize') return operation === 'UPDATE'
    if (subresource !== '') return false
    if (operation === 'UPDATE') return isTimeLimited(object as Pod) !== isTimeLimited(old as Pod)
    return operation === 'CREATE'
  },
  matching: names =>
    names.filter(name => NAMES.has(name) || /^(requests\.)?hugepages-/.test(name) || limitsExtended(name)),
  usage(object, now) {
    const pod = object as Pod
    const count: ResourceList = { [COUNT]: '1' }
    if (isOver(pod, now)) return count
    const options = { overhead: true, status: true }
    return add(count, counted(podAmounts(pod, 'requests', options), podAmounts(pod, 'limits', options)))
  },
  inScope: podInScope,
  missing: (object, names) => missing(object as Pod, names),
}
