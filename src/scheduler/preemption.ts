/**
 * Makes room for a pod that found none, by pods of lower priority: which node, and which of its pods have to go
 * (as upstream's defaultpreemption). Budgets are respected where that is possible, not at the price of the pod.
 */
import type { PodDisruptionBudget } from '../api/kinds/policy/pod-disruption-budget.ts'
import { selectorFromLabelSelector } from '../api/machinery/label-selector.ts'
import { parseTime } from '../api/machinery/time.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

/** What one node says to the pod, with the pods that stand there at this moment. */
export interface Asker {
  /** The reasons of a node that refuses; undefined where the pod fits. */
  refused(slot: number): readonly string[] | undefined
  /** The refusal holds whatever pods stand there. */
  hopeless(slot: number): boolean
}

export interface Room {
  readonly nodeName: string
  /** The most important first. */
  readonly victims: readonly PodInfo[]
}

/** Room, or why there is none: a sentence after the scheduler's own. */
export type Outcome = Room | { readonly message: string }

interface Candidate extends Room {
  /** Victims that a budget would have kept. */
  readonly violations: number
}

/** Candidates that are compared: at least so many, and this share of all nodes (upstream's defaults). */
const MIN_CANDIDATES = 100
const SHARE = 0.1

const startOf = ({ pod }: PodInfo) => parseTime(pod.status?.startTime) ?? Number.POSITIVE_INFINITY

/** Higher priority first, then those that run for longer. */
const byImportance = (a: PodInfo, b: PodInfo) => b.priority - a.priority || startOf(a) - startOf(b)

/**
 * Looks for room. Pods are taken out of the snapshot and put back meanwhile, so nothing else may happen in between:
 * the call is synchronous.
 */
export function findRoom(
  pod: PodInfo,
  snapshot: Snapshot,
  asker: Asker,
  budgets: readonly PodDisruptionBudget[],
): Outcome {
  if (pod.pod.spec?.preemptionPolicy === 'Never') return { message: 'not eligible due to preemptionPolicy=Never.' }
  const reasons = new Map<string, number>()
  const refuse = (reason: string) => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const candidates: Candidate[] = []
  const enough = Math.max(MIN_CANDIDATES, snapshot.size * SHARE)
  for (let slot = 0; slot < snapshot.slots && candidates.length < enough; slot++) {
    if (!snapshot.node(slot)) continue
    if (asker.hopeless(slot)) {
      refuse('Preemption is not helpful for scheduling')
      continue
    }
    const lower = [...snapshot.pods(slot)].filter(each => each.priority < pod.priority)
    if (lower.length === 0) {
      refuse('No preemption victims found for incoming pod')
      continue
    }
    const found = victimsOn(slot, lower, snapshot, asker, budgets)
    if ('refused' in found) found.refused.forEach(refuse)
    else candidates.push(found)
  }
  if (candidates.length > 0) return candidates.reduce((best, each) => (isBetter(each, best) ? each : best))
  const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort()
  return { message: `0/${snapshot.size} nodes are available: ${why.join(', ')}.` }
}

function victimsOn(
  slot: number,
  lower: readonly PodInfo[],
  snapshot: Snapshot,
  asker: Asker,
  budgets: readonly PodDisruptionBudget[],
): Candidate | { readonly refused: readonly string[] } {
  const nodeName = snapshot.name(slot)
  for (const each of lower) snapshot.removePod(each.uid)
  const out = new Set(lower)
  try {
    const refused = asker.refused(slot)
    if (refused) return { refused }
    /** Puts a pod back if there is room for both. */
    const spare = (each: PodInfo): boolean => {
      snapshot.addPod(each, nodeName)
      if (!asker.refused(slot)) return out.delete(each)
      snapshot.removePod(each.uid)
      return false
    }
    const { kept, free } = byBudget([...lower].sort(byImportance), budgets)
    const violations = kept.filter(each => !spare(each)).length
    for (const each of free) spare(each)
    return { nodeName, victims: [...out].sort(byImportance), violations }
  } finally {
    for (const each of out) snapshot.addPod(each, nodeName)
  }
}

/** Parts the pods that a budget wants to keep from those that may go. */
function byBudget(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]) {
  const allowed = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0)
  const selectors = budgets.map(({ spec }) => selectorFromLabelSelector(spec?.selector))
  const kept: PodInfo[] = []
  const free: PodInfo[] = []
  for (const each of pods) {
    let isKept = false
    for (const [at, budget] of budgets.entries()) {
      if (budget.metadata?.namespace !== each.namespace || selectors[at]!.empty) continue
      if (!selectors[at]!.matches(each.labels)) continue
      // An eviction that was counted already is not counted again.
      if (Object.hasOwn(budget.status?.disruptedPods ?? {}, each.pod.metadata?.name ?? '')) continue
      allowed[at]!--
      if (allowed[at]! < 0) isKept = true
    }
    if (isKept) kept.push(each)
    else free.push(each)
  }
  return { kept, free }
}

/** Priorities may be negative: counted so that fewer pods never weigh more. */
const weightOf = ({ victims }: Room) => victims.reduce((sum, each) => sum + each.priority + 2 ** 31, 0)
const highest = ({ victims }: Room) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY
/** When the first of the most important victims started. */
const earliest = ({ victims }: Room) =>
  Math.min(...victims.filter(each => each.priority === victims[0]?.priority).map(startOf))

function isBetter(a: Candidate, b: Candidate): boolean {
  const order =
    a.violations - b.violations ||
    highest(a) - highest(b) ||
    weightOf(a) - weightOf(b) ||
    a.victims.length - b.victims.length ||
    earliest(b) - earliest(a)
  return order < 0
}
