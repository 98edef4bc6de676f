import type { TopologySpreadConstraint } from '../../api/generated/types/core-v1.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { isSelected, toleratesAny } from '../../api/machinery/node-match.ts'
import { withLabelKeys } from '../affinity-term.ts'
import type { Plugin, Prepared, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { follow, type Tracker } from '../spread.ts'

const MISMATCH = "node(s) didn't match pod topology spread constraints"
const HOSTNAME = 'kubernetes.io/hostname'

interface Constraint {
  readonly tracker: Tracker
  readonly maxSkew: number
  readonly minDomains: number
  /** The pod counts itself. */
  readonly self: number
  /** Whether a node's domain counts when the least full one is looked for. */
  eligible(slot: number): boolean
}

function constraintOf(spec: TopologySpreadConstraint, pod: PodInfo, { snapshot, spread }: View): Constraint {
  const labelSelector = withLabelKeys(spec.labelSelector, spec, pod.labels)
  const selector = selectorFromLabelSelector(labelSelector)
  const matches = (other: PodInfo) =>
    other.namespace === pod.namespace && !other.pod.metadata?.deletionTimestamp && selector.matches(other.labels)
  const id = `spread ${JSON.stringify([pod.namespace, spec.topologyKey, labelSelector])}`
  const tolerations = pod.pod.spec?.tolerations ?? []
  return {
    tracker: spread.tracker(id, spec.topologyKey, matches),
    maxSkew: spec.maxSkew,
    minDomains: spec.minDomains ?? 1,
    self: selector.matches(pod.labels) ? 1 : 0,
    eligible(slot) {
      const node = snapshot.node(slot)
      if (!node) return false
      if (spec.nodeAffinityPolicy !== 'Ignore' && !isSelected(pod.pod.spec, node)) return false
      const taints = spec.nodeTaintsPolicy === 'Honor' ? (node.spec?.taints ?? []) : []
      return taints.every(taint => taint.effect === 'PreferNoSchedule' || toleratesAny(tolerations, taint))
    },
  }
}

/** Pods in the least full domain that counts; 0 while there are fewer domains than wanted. */
function leastOf({ tracker, minDomains, eligible }: Constraint): number {
  let least = Number.POSITIVE_INFINITY
  let domains = 0
  for (const { count, slots } of tracker.domains().values()) {
    if (domains >= minDomains && count >= least) continue
    for (const slot of slots) {
      if (!eligible(slot)) continue
      domains++
      least = Math.min(least, count)
      break
    }
  }
  return domains < minDomains || least === Number.POSITIVE_INFINITY ? 0 : least
}

/** Pods of one controller spread over nodes, and over zones where nodes have them. */
function defaultTrackers({ owner }: PodInfo, { spread }: View): Tracker[] {
  if (!owner) return []
  return [HOSTNAME, 'topology.kubernetes.io/zone'].map(key =>
    spread.tracker(`owner ${owner} ${key}`, key, pod => !pod.pod.metadata?.deletionTimestamp, owner),
  )
}

function filterBy(hard: readonly Constraint[]): Pick<Prepared, 'filter'> & { changed(): boolean } {
  let least = hard.map(leastOf)
  return {
    changed() {
      const now = hard.map(leastOf)
      const same = now.every((value, at) => value === least[at])
      least = now
      return !same
    },
    filter(slot) {
      for (const [at, { tracker, maxSkew, self }] of hard.entries()) {
        const count = tracker.count(slot)
        if (count === undefined) return `${MISMATCH} (missing required label)`
        if (count + self - least[at]! > maxSkew) return MISMATCH
      }
      return undefined
    },
  }
}

/**
 * Spreads pods over topology domains (API doc: core/v1 TopologySpreadConstraint). Pods without constraints of their
 * own that a controller owns are spread by preference. A domain scores by how few of them it has.
 */
export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  weight: 2,
  prepare(pod, view) {
    const constraints = pod.pod.spec?.topologySpreadConstraints ?? []
    const of = (when: string) =>
      constraints.filter(each => each.whenUnsatisfiable === when).map(each => constraintOf(each, pod, view))
    const hard = of('DoNotSchedule')
    const soft = constraints.length > 0 ? of('ScheduleAnyway').map(each => each.tracker) : defaultTrackers(pod, view)
    if (hard.length === 0 && soft.length === 0) return undefined
    const { filter, changed } = filterBy(hard)
    const changes = follow([...hard.map(each => each.tracker), ...soft])
    return {
      ...(hard.length > 0 && {
        filter,
        hopeless: (slot: number) => hard.some(({ tracker }) => tracker.count(slot) === undefined),
      }),
      ...(soft.length > 0 && {
        score(slot: number) {
          let sum = 0
          for (const tracker of soft) sum += 100 / (1 + (tracker.count(slot) ?? 0))
          return sum / soft.length
        },
      }),
      affected() {
        const slots = changes()
        return hard.length > 0 && changed() ? 'all' : slots
      },
    }
  },
  wokenBy: ['node', 'node-gone', 'pod-placed', 'pod-gone'],
  mayHelp: () => true,
}
