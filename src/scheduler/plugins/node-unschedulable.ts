import { toleratesAny } from '../../api/machinery/node-match.ts'
import type { Plugin } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'

const tolerated = ({ pod }: PodInfo) =>
  toleratesAny(pod.spec?.tolerations ?? [], { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })

/** A cordoned node takes no pods but those that tolerate it. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  weight: 0,
  prepare(pod, { snapshot }) {
    if (tolerated(pod)) return undefined
    return {
      filter: slot => (snapshot.node(slot)!.spec?.unschedulable ? 'node(s) were unschedulable' : undefined),
      hopeless: () => true,
    }
  },
  wokenBy: ['node'],
  mayHelp: event => event.type === 'node' && !event.current.spec?.unschedulable,
}
