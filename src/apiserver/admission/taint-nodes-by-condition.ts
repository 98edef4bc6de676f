import type { KubeObject } from '../../api/machinery/object.ts'
import type { AdmissionPlugin } from './plugin.ts'

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

interface Node extends KubeObject {
  spec?: { taints?: { key: string; effect: string }[] }
}

/** TaintNodesByCondition: a new node takes no pods before the node controller has seen it ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: ({ kind, subresource, operation }) =>
    kind.key === 'v1/nodes' && subresource === '' && operation === 'CREATE',
  mutate({ object }) {
    const node = object as Node
    const taints = node.spec?.taints ?? []
    if (taints.some(taint => taint.key === NOT_READY.key && taint.effect === NOT_READY.effect)) return
    node.spec = { ...node.spec, taints: [...taints, { ...NOT_READY }] }
  },
}
