import type { AdmissionPlugin } from './plugin.ts'
import type { Pod, Toleration } from './pod-shape.ts'

const SECONDS = 300
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

const tolerates = (taint: string) => (toleration: Toleration) =>
  (!toleration.key || toleration.key === taint) && (!toleration.effect || toleration.effect === 'NoExecute')

/** DefaultTolerationSeconds: a pod stays 5 minutes on a node that is not ready or out of reach, unless it says. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: ({ kind, subresource, operation }) =>
    kind.key === 'v1/pods' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  mutate({ object }) {
    const { spec } = object as Pod
    const tolerations = spec.tolerations ?? []
    const added = TAINTS.filter(taint => !tolerations.some(tolerates(taint))).map(key => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: SECONDS,
    }))
    if (added.length) spec.tolerations = [...tolerations, ...added]
  },
}
