import type { Taint } from '../../api/generated/types/core-v1.ts'
import type { Node } from '../../api/kinds/core/node.ts'
import { toleratesAny } from '../node-match.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

function untolerated({ pod }: PodInfo, node: Node, ...effects: string[]): Taint[] {
  const { taints } = node.spec ?? {}
  if (!taints?.length) return []
  const tolerations = pod.spec?.tolerations ?? []
  return taints.filter(taint => effects.includes(taint.effect) && !toleratesAny(tolerations, taint))
}

/** Taints keep away the pods that do not tolerate them; those that only would rather not have them cost score. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  prepare: (pod, { snapshot }) => ({
    filter(slot) {
      const [taint] = untolerated(pod, snapshot.node(slot)!, 'NoSchedule', 'NoExecute')
      return taint && `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
    },
    score: slot => 100 / (1 + untolerated(pod, snapshot.node(slot)!, 'PreferNoSchedule').length),
  }),
  wokenBy: ['node'],
  mayHelp: (event, pod) =>
    event.type === 'node' && untolerated(pod, event.current, 'NoSchedule', 'NoExecute').length === 0,
}
