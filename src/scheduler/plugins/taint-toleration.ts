import type { Taint } from '../../api/generated/types/core-v1.ts'
import type { Node } from '../../api/kinds/core/node.ts'
import { toleratesAny } from '../../api/machinery/node-match.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

const HARD = ['NoSchedule', 'NoExecute']
const SOFT = ['PreferNoSchedule']
const NONE: readonly Taint[] = []

function untolerated({ pod }: PodInfo, node: Node, effects: readonly string[]): readonly Taint[] {
  const { taints } = node.spec ?? {}
  if (!taints?.length) return NONE
  const tolerations = pod.spec?.tolerations ?? []
  return taints.filter(taint => effects.includes(taint.effect) && !toleratesAny(tolerations, taint))
}

/** Taints keep away the pods that do not tolerate them; those that only would rather not have them cost score. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  prepare: (pod, { snapshot }) => ({
    filter(slot) {
      const [taint] = untolerated(pod, snapshot.node(slot)!, HARD)
      return taint && `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
    },
    hopeless: () => true,
    score: slot => 100 / (1 + untolerated(pod, snapshot.node(slot)!, SOFT).length),
  }),
  wokenBy: ['node'],
  mayHelp: (event, pod) => event.type === 'node' && untolerated(pod, event.current, HARD).length === 0,
}
