import type { Node } from '../../api/kinds/core/node.ts'
import { matchesTerm } from '../node-match.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

/** Whether a node has what `nodeSelector` and the required node affinity ask for. */
export function isSelected({ pod: { spec } }: PodInfo, node: Node): boolean {
  const labels = node.metadata?.labels ?? {}
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (labels[key] !== value) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some(term => matchesTerm(term, node))
}

/** Node selectors and node affinity. Preferences score by the share of their weight that a node has. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  prepare(pod, { snapshot }) {
    const { nodeSelector, affinity } = pod.pod.spec ?? {}
    if (!nodeSelector && !affinity?.nodeAffinity) return undefined
    const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    const all = preferred.reduce((sum, { weight }) => sum + weight, 0)
    const had = (node: Node) =>
      preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0), 0)
    return {
      filter: slot =>
        isSelected(pod, snapshot.node(slot)!) ? undefined : "node(s) didn't match Pod's node affinity/selector",
      ...(all > 0 && { score: (slot: number) => (100 * had(snapshot.node(slot)!)) / all }),
    }
  },
  wokenBy: ['node'],
  mayHelp: (event, pod) => event.type === 'node' && isSelected(pod, event.current),
}
