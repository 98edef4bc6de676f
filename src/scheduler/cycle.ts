/**
 * One decision: which node takes this pod, or why none does. Pods of one template share their results (equivalence
 * classes, as in Borg): a decision looks only at the nodes that changed since the last one of its class.
 */
import { type BestOf, createBestOf } from './best-of.ts'
import type { Plugin, Prepared, View } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import type { Asker } from './preemption.ts'

/** Why no node takes a pod. */
export interface Refusal {
  /** As in the event: `0/3 nodes are available: …`. */
  readonly message: string
  /** Plugins that refused it. */
  readonly plugins: ReadonlySet<string>
}

export type Decision = { readonly nodeName: string } | { readonly refusal: Refusal }

/** What one node says to a pod. */
export interface NodeVerdict {
  readonly nodeName: string
  /** The plugin that refused, and its reasons; undefined: it fits. */
  readonly refused?: { readonly plugin: string; readonly reasons: readonly string[] }
  /** Points by plugin, weighted; only where it fits. */
  readonly scores?: Readonly<Record<string, number>>
}

export interface Cycle {
  decide(pod: PodInfo): Decision
  /** Answers of nodes for this pod alone, as pods come and go: see `preemption.ts`. */
  ask(pod: PodInfo): Asker
  /** What every node says, for people. */
  explain(pod: PodInfo): readonly NodeVerdict[]
  /** Something changed that no result knows of, such as a RuntimeClass. */
  forget(): void
}

interface Step {
  readonly plugin: Plugin
  readonly prepared: Prepared
}

interface Refused {
  /** Which step refused; later ones were not asked. */
  readonly step: number
  readonly plugin: string
  readonly reasons: readonly string[]
}

interface EquivalenceClass {
  readonly steps: readonly Step[]
  /** Those of them that score. */
  readonly scored: readonly number[]
  /** Points by slot; out where it does not fit. */
  readonly points: BestOf
  readonly refusals: (Refused | undefined)[]
  /** Weighted points by step and slot; they count where the node fits. */
  readonly scores: number[][]
  /** Up to where it knows the snapshot's changes. */
  clock: number
  explained: Refusal | undefined
}

/** Points of a node that does not fit. */
const OUT = Number.NEGATIVE_INFINITY

/** Results kept over all classes: slots times classes. */
const RESULTS_KEPT = 2_000_000

/** `1 a, 2 b`, sorted as text, as upstream does. */
function histogram(refusals: Iterable<Refused>): string {
  const counts = new Map<string, number>()
  for (const { reasons } of refusals) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}

/** Makes the decisions of `plugins` over a view. */
export function createCycle(view: View, plugins: readonly Plugin[]): Cycle {
  const { snapshot, spread } = view
  const classes = new Map<string, EquivalenceClass>()
  let dropped = 0

  function prepare(pod: PodInfo): Step[] {
    return plugins.flatMap(plugin => {
      const prepared = plugin.prepare(pod, view)
      return prepared ? [{ plugin, prepared }] : []
    })
  }
  function refusedAt(steps: readonly Step[], step: number, slot: number): Refused | undefined {
    const { plugin, prepared } = steps[step]!
    const said = prepared.filter?.(slot)
    if (said === undefined || said.length === 0) return undefined
    return { step, plugin: plugin.name, reasons: typeof said === 'string' ? [said] : said }
  }
  function refusedBy(steps: readonly Step[], slot: number): Refused | undefined {
    for (let step = 0; step < steps.length; step++) {
      const refused = refusedAt(steps, step, slot)
      if (refused) return refused
    }
    return undefined
  }
  function rescore({ steps, scores }: EquivalenceClass, step: number, slot: number) {
    const { plugin, prepared } = steps[step]!
    scores[step]![slot] = plugin.weight * prepared.score!(slot)
  }
  function sum({ scored, scores }: EquivalenceClass, slot: number): number {
    let points = 0
    for (let at = 0; at < scored.length; at++) points += scores[scored[at]!]![slot]!
    return points
  }
  /** Asks every step; gives the points. */
  function look(found: EquivalenceClass, slot: number): number {
    const exists = snapshot.node(slot) !== undefined
    const refused = exists ? refusedBy(found.steps, slot) : undefined
    found.refusals[slot] = refused
    if (!exists || refused) return OUT
    for (let at = 0; at < found.scored.length; at++) rescore(found, found.scored[at]!, slot)
    return sum(found, slot)
  }
  /** Asks one step again, where nothing else changed; gives the points. */
  function lookAt(found: EquivalenceClass, step: number, slot: number): number {
    const before = found.refusals[slot]
    if (!snapshot.node(slot) || (before && before.step < step)) return OUT
    const refused = refusedAt(found.steps, step, slot)
    if (refused) {
      found.refusals[slot] = refused
      return OUT
    }
    if (before) return before.step === step ? look(found, slot) : OUT
    if (found.steps[step]!.prepared.score) rescore(found, step, slot)
    return sum(found, slot)
  }

  /** Looks again at what changed. */
  function refresh(found: EquivalenceClass) {
    const changed = snapshot.changesSince(found.clock)
    found.clock = snapshot.clock()
    const again = new Set(changed)
    let all = !changed || again.size >= snapshot.slots
    const perStep: [step: number, slots: ReadonlySet<number>][] = []
    for (const [step, { prepared }] of found.steps.entries()) {
      const affected = prepared.affected?.()
      if (affected === 'all') all = true
      else if (affected && affected.size > 0) perStep.push([step, affected])
    }
    if (all) return lookAtAll(found)
    const count = perStep.reduce((total, [, slots]) => total + slots.size, again.size)
    if (count === 0) return
    found.explained = undefined
    const change = (set: (slot: number, points: number) => void) => {
      for (const slot of again) set(slot, look(found, slot))
      for (const [step, slots] of perStep) {
        for (const slot of slots) if (!again.has(slot)) set(slot, lookAt(found, step, slot))
      }
    }
    // A change in the tournament costs about ten matches, all of it as many as there are slots.
    if (count * 10 > snapshot.slots) found.points.change(change)
    else change(found.points.set)
  }
  function lookAtAll(found: EquivalenceClass) {
    found.explained = undefined
    found.points.change(set => {
      for (let slot = 0; slot < snapshot.slots; slot++) set(slot, look(found, slot))
    })
  }

  function drop() {
    const kept = Math.max(32, Math.floor(RESULTS_KEPT / Math.max(1, snapshot.slots)))
    if (classes.size < kept) return
    const [oldest] = classes.keys()
    classes.delete(oldest!)
    // Trackers of dropped classes are let go together, now and then.
    if (++dropped < kept) return
    dropped = 0
    classes.clear()
    spread.forget()
  }
  function classOf(pod: PodInfo): EquivalenceClass {
    const known = classes.get(pod.template)
    if (known) {
      classes.delete(pod.template)
      classes.set(pod.template, known)
      refresh(known)
      return known
    }
    drop()
    const steps = prepare(pod)
    const fresh: EquivalenceClass = {
      steps,
      scored: steps.flatMap(({ prepared }, step) => (prepared.score ? [step] : [])),
      points: createBestOf(),
      refusals: [],
      scores: steps.map(() => []),
      clock: snapshot.clock(),
      explained: undefined,
    }
    lookAtAll(fresh)
    classes.set(pod.template, fresh)
    return fresh
  }

  function explainRefusal({ steps, refusals }: EquivalenceClass): Refusal {
    const nodes = snapshot.size
    if (nodes === 0)
      return { message: 'no nodes available to schedule pods', plugins: new Set(plugins.map(each => each.name)) }
    const flat = steps.filter(({ prepared }) => prepared.refusal)
    const plugin = new Set(flat.map(step => step.plugin.name))
    let why = flat.map(({ prepared }) => prepared.refusal).join(', ')
    if (flat.length === 0) {
      const refused = refusals.filter(each => each !== undefined)
      for (const each of refused) plugin.add(each.plugin)
      why = histogram(refused)
    }
    return { message: `0/${nodes} nodes are available: ${why}.`, plugins: plugin }
  }

  return {
    decide(pod) {
      const found = classOf(pod)
      const best = found.steps.some(({ prepared }) => prepared.refusal) ? undefined : found.points.best()
      if (best !== undefined) return { nodeName: snapshot.name(best) }
      found.explained ??= explainRefusal(found)
      return { refusal: found.explained }
    },
    ask(pod) {
      const steps = prepare(pod)
      const isFlat = steps.some(({ prepared }) => prepared.refusal)
      return {
        refused(slot) {
          for (const { prepared } of steps) prepared.affected?.()
          return refusedBy(steps, slot)?.reasons
        },
        hopeless(slot) {
          if (isFlat) return true
          return steps.some(
            ({ prepared }, step) => prepared.hopeless?.(slot) && refusedAt(steps, step, slot) !== undefined,
          )
        },
      }
    },
    explain(pod) {
      const steps = prepare(pod)
      const flat = steps.find(({ prepared }) => prepared.refusal)
      const verdicts: NodeVerdict[] = []
      for (let slot = 0; slot < snapshot.slots; slot++) {
        if (!snapshot.node(slot)) continue
        const nodeName = snapshot.name(slot)
        const refused: Omit<Refused, 'step'> | undefined = flat
          ? { plugin: flat.plugin.name, reasons: [flat.prepared.refusal!] }
          : refusedBy(steps, slot)
        const scored = () =>
          steps.flatMap(({ plugin, prepared: { score } }) =>
            score ? [[plugin.name, plugin.weight * score(slot)]] : [],
          )
        verdicts.push(
          refused
            ? { nodeName, refused: { plugin: refused.plugin, reasons: refused.reasons } }
            : { nodeName, scores: Object.fromEntries(scored()) },
        )
      }
      return verdicts
    },
    forget: () => classes.clear(),
  }
}
