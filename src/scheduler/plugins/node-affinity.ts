import type { Node } from '../../api/kinds/core/node.ts'
import { isSelected, matchesTerm, NOT_SELECTED } from '../../api/machinery/node-match.ts'
import type { Plugin } from '../plugin.ts'

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
      filter: slot => (isSelected(pod.pod.spec, snapshot.node(slot)!) ? undefined : NOT_SELECTED),
      hopeless: () => true,
      ...(all > 0 && { score: (slot: number) => (100 * had(snapshot.node(slot)!)) / all }),
    }
  },
  wokenBy: ['node'],
  mayHelp: (event, pod) => event.type === 'node' && isSelected(pod.pod.spec, event.current),
}
