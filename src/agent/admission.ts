/**
 * Whether a pod may run on the node: the checks that a node makes itself, as binding may have raced, and pods may name
 * their node without being asked. The kubelet's, in its words and its order.
 */
import type { Node, Pod } from '../api/generated/types/core-v1.ts'
import { qosClass } from '../api/kinds/core/resources.ts'
import { hostPortsOf, NO_FREE_PORTS, portsClash } from '../api/machinery/host-ports.ts'
import { isSelected, NOT_SELECTED, toleratesAny } from '../api/machinery/node-match.ts'
import { milliValue, quantityValue } from '../api/machinery/quantity.ts'
import { podAmounts } from '../api/quota/pod-resources.ts'
import type { RegisteredNode } from './node/registration.ts'
import type { PodDeps, Refusal } from './pod/deps.ts'
import { groupsProblem, hasAppArmor, ruleProblem } from './pod/node-rules.ts'
import { isCritical, SOURCE } from './pod/object.ts'
import { wantsStrictGroups } from './pod/security.ts'
import { type Shortage, victimsFor } from './preemption.ts'

const value = (resource: string, quantity: string | undefined) => {
  if (quantity === undefined) return 0
  return resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity)
}

const known = new WeakMap<Pod, Readonly<Record<string, string>>>()

/** What a pod requests in all. */
function requestsOf(pod: Pod): Readonly<Record<string, string>> {
  let found = known.get(pod)
  if (!found) {
    found = podAmounts(pod, 'requests', { overhead: true })
    known.set(pod, found)
  }
  return found
}

/** What a node may give to pods. */
type Allocatable = Readonly<Record<string, string>>

export interface AdmissionDeps {
  /** What the machine gives to pods. */
  readonly allocatable: Allocatable
  readonly unsafeSysctls: readonly string[]
  readonly runtimeOf: PodDeps['runtimeOf']
  /** All other pods that take of the node. */
  others(pod: Pod): readonly Pod[]
  /** Resources of which plugins give out single pieces, and judge themselves. */
  ofPlugins(): Readonly<Record<string, string>>
  /** Why the node takes no such pod at this time, whatever is left of it. */
  refused(pod: Pod): Refusal | undefined
  /** The node's own object. */
  node(): Pick<RegisteredNode, 'current' | 'fetch'>
  /** Ends a pod of the node; resolves when nothing of it runs. */
  end(pod: Pod, why: Refusal): Promise<void>
}

const PREEMPTED: Refusal = {
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  disruption: 'TerminationByKubelet',
  disrupted: 'Pod was preempted by Kubelet to accommodate a critical pod.',
}

/** Makes the judge of pods that have not run yet. */
export function createAdmission(deps: AdmissionDeps): PodDeps['admit'] {
  const rules = { unsafeSysctls: deps.unsafeSysctls, appArmor: hasAppArmor() }
  /** Beside what the machine has, resources that somebody else has written. */
  function mayGive({ status }: Node): Allocatable {
    const ofPlugins = deps.ofPlugins()
    const written = Object.entries(status?.allocatable ?? {}).filter(([resource]) => !(resource in ofPlugins))
    return { ...Object.fromEntries(written), ...deps.allocatable }
  }
  /** Ends other pods for a critical one; resolves with why that does not help. */
  async function makeRoom(pod: Pod, shortages: readonly Short[]): Promise<Refusal | undefined> {
    const victims = victimsFor(pod, deps.others(pod), shortages, requestOf)
    await Promise.all(victims?.map(each => deps.end(each, PREEMPTED)) ?? [])
    if (victims) return undefined
    const list = shortages.map(({ resource, missing }) => `(res: ${resource}, q: ${missing}), `).join('')
    const why = `preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [${list}]`
    return {
      reason: 'UnexpectedAdmissionError',
      message: `Unexpected error while attempting to recover from admission failure: ${why}`,
    }
  }
  async function groups(pod: Pod): Promise<Refusal | undefined> {
    // Where there is no runtime for it, that is told later.
    const { driver } = (await deps.runtimeOf(pod).catch(() => undefined)) ?? {}
    return driver && groupsProblem(pod, driver.capabilities)
  }
  /** What takes a while, of a pod that may run otherwise. */
  function longer(pod: Pod): ReturnType<PodDeps['admit']> {
    const allocatable = mayGive(deps.node().current())
    const shortages = isCritical(pod) ? shortagesOf(pod, deps.others(pod), allocatable) : []
    if (shortages.length > 0) return makeRoom(pod, shortages).then(found => found ?? groups(pod))
    return wantsStrictGroups(pod) ? groups(pod) : undefined
  }
  return pod => {
    const judge = (node: Node) => refusalOf(pod, deps.others(pod), node, mayGive(node))
    const node = deps.node()
    const found = deps.refused(pod) ?? ruleProblem(pod, rules) ?? judge(node.current())
    if (!found) return longer(pod)
    if (!isOfLabels(found)) return found
    return node.fetch().then(
      now => judge(now) ?? longer(pod),
      () => found,
    )
  }
}

/** Judges a pod beside `others` on the node as it is now; undefined: it may run. For a critical one room is made. */
export const refusalOf = (
  pod: Pod,
  others: readonly Pod[],
  node: Node,
  allocatable: Allocatable,
): Refusal | undefined =>
  (isCritical(pod) ? undefined : fits(pod, others, allocatable)) ??
  selects(pod, node) ??
  portsFree(pod, others) ??
  tolerates(pod, node)

const predicate = (name: string, why: string): Refusal => ({
  reason: name,
  message: `Predicate ${name} failed: ${why}`,
})

const AFFINITY = 'NodeAffinity'
/** It may be that only news of the node's labels were late. */
const isOfLabels = ({ reason }: Refusal): boolean => reason === AFFINITY

const selects = ({ spec }: Pod, node: Node): Refusal | undefined =>
  isSelected(spec, node) ? undefined : predicate(AFFINITY, NOT_SELECTED)

/** Taints that only keep new pods away are for the scheduler; a node's own pods run whatever its taints. */
function tolerates({ metadata, spec }: Pod, node: Node): Refusal | undefined {
  if (metadata?.annotations?.[SOURCE] !== undefined) return undefined
  const taints = node.spec?.taints?.filter(({ effect }) => effect === 'NoExecute') ?? []
  if (taints.every(taint => toleratesAny(spec?.tolerations ?? [], taint))) return undefined
  return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate")
}

/** A resource of which there is too little for a pod: what is asked for, what others have, and what there is. */
interface Short extends Shortage {
  readonly asked: number
  readonly taken: number
  readonly capacity: number
}

/** What a pod requests of a resource; of `pods`, itself. */
const requestOf = (pod: Pod, resource: string): number =>
  resource === 'pods' ? 1 : value(resource, requestsOf(pod)[resource])

/** Resources of which `allocatable` minus the requests of `others` does not suffice, in the kubelet's order. */
function shortagesOf(pod: Pod, others: readonly Pod[], allocatable: Allocatable): Short[] {
  const resources = new Set(['pods', 'cpu', 'memory', 'ephemeral-storage', ...Object.keys(requestsOf(pod))])
  return [...resources].flatMap(resource => {
    const asked = requestOf(pod, resource)
    if (asked === 0 || allocatable[resource] === undefined) return []
    const taken = others.reduce((sum, each) => sum + requestOf(each, resource), 0)
    const capacity = value(resource, allocatable[resource])
    const missing = asked + taken - capacity
    return missing > 0 ? [{ resource, missing, asked, taken, capacity }] : []
  })
}

/** Refuses a pod for which there is too little of something, as the kubelet words it. */
export function fits(pod: Pod, others: readonly Pod[], allocatable: Allocatable): Refusal | undefined {
  const [short] = shortagesOf(pod, others, allocatable)
  if (!short) return undefined
  const { resource, asked, taken, capacity } = short
  const counts = `requested: ${asked}, used: ${taken}, capacity: ${capacity}`
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, ${counts}`,
  }
}

/** Refuses a pod of which `others` have a port of the node already, as the kubelet words it. */
function portsFree(pod: Pod, others: readonly Pod[]): Refusal | undefined {
  const asked = hostPortsOf(pod.spec)
  if (asked.length === 0) return undefined
  const taken = others.flatMap(each => hostPortsOf(each.spec))
  if (!asked.some(port => taken.some(each => portsClash(port, each)))) return undefined
  return predicate('NodePorts', NO_FREE_PORTS)
}

const QUALITY = ['Guaranteed', 'Burstable', 'BestEffort']

/** Pods that wait for room, in the order in which they get it: by priority, by class, then as they came. */
export function inOrder<T extends { allocated(): Pod }>(waiting: readonly T[]): T[] {
  const rank = (each: T) => {
    const pod = each.allocated()
    return { priority: pod.spec?.priority ?? 0, quality: QUALITY.indexOf(qosClass(pod)) }
  }
  return waiting
    .map(each => ({ each, ...rank(each) }))
    .sort((a, b) => b.priority - a.priority || a.quality - b.quality)
    .map(({ each }) => each)
}
