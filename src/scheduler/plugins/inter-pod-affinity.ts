import { type CompiledTerm, compileTerm } from '../affinity-term.ts'
import type { Plugin, View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { follow, type HeldTerm, type Holder, type Tracker } from '../spread.ts'

type NamespaceLabels = View['namespaceLabels']

/** The required anti-affinity that a placed pod holds against newcomers. */
export function heldTerms(pod: PodInfo, namespaceLabels: NamespaceLabels): HeldTerm[] {
  const terms = pod.pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  return terms.map(each => {
    const { id, topologyKey, matches } = compileTerm(each, pod, namespaceLabels)
    return { id, topologyKey, refuses: matches }
  })
}

interface Tracked {
  readonly term: CompiledTerm
  readonly tracker: Tracker
}

function required(pod: PodInfo, kind: 'podAffinity' | 'podAntiAffinity', view: View): Tracked[] {
  const terms = pod.pod.spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  return terms.map(each => track(compileTerm(each, pod, view.namespaceLabels), view))
}

const track = (term: CompiledTerm, { spread }: View): Tracked => ({
  term,
  tracker: spread.tracker(`near ${term.id}`, term.topologyKey, term.matches),
})

function preferred(pod: PodInfo, view: View): (Tracked & { weight: number })[] {
  const of = (kind: 'podAffinity' | 'podAntiAffinity', sign: number) =>
    (pod.pod.spec?.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(each => ({
      ...track(compileTerm(each.podAffinityTerm, pod, view.namespaceLabels), view),
      weight: sign * each.weight,
    }))
  return [...of('podAffinity', 1), ...of('podAntiAffinity', -1)]
}

/** The first pod of a group that wants to be near its own kind may go anywhere. */
const mayBeFirst = (near: readonly Tracked[], pod: PodInfo) =>
  near.length > 0 && near.every(({ term, tracker }) => tracker.total() === 0 && term.matches(pod))

/** Pods near or far from other pods (API doc: core/v1 PodAffinity, PodAntiAffinity). */
export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  weight: 2,
  prepare(pod, view) {
    const { spread } = view
    const near = required(pod, 'podAffinity', view)
    const far = required(pod, 'podAntiAffinity', view)
    const wishes = preferred(pod, view)
    const refusing = () => [...spread.holders()].filter(holder => holder.refuses(pod))
    const followed = () => follow([...near, ...far, ...wishes, ...holders].map(each => each.tracker))
    let holders: Holder[] = refusing()
    let version = spread.holdersVersion()
    let first = mayBeFirst(near, pod)
    let changes = followed()
    const isFar = (slot: number) =>
      near.some(({ tracker }) => {
        const count = tracker.count(slot)
        return count === undefined || (count === 0 && !first)
      })

    return {
      filter(slot) {
        if (isFar(slot)) return "node(s) didn't match pod affinity rules"
        for (const { tracker } of far) {
          if (tracker.count(slot)) return "node(s) didn't match pod anti-affinity rules"
        }
        for (const { tracker } of holders) {
          if (tracker.count(slot)) return "node(s) didn't satisfy existing pods anti-affinity rules"
        }
        return undefined
      },
      hopeless: slot => isFar(slot),
      ...(wishes.length > 0 && {
        score(slot: number) {
          const sum = wishes.reduce((total, { tracker, weight }) => total + weight * (tracker.count(slot) ?? 0), 0)
          return 50 + (50 * sum) / (100 + Math.abs(sum))
        },
      }),
      affected() {
        const wasFirst = first
        first = mayBeFirst(near, pod)
        if (version !== spread.holdersVersion()) {
          version = spread.holdersVersion()
          holders = refusing()
          changes = followed()
          return 'all'
        }
        const slots = changes()
        return first === wasFirst ? slots : 'all'
      },
    }
  },
  wokenBy: ['node', 'node-gone', 'pod-placed', 'pod-gone'],
  mayHelp: () => true,
}
