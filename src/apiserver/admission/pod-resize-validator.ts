/** PodResizeValidator: a pod that has its node is not resized to more than that node could ever give. */
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const OS = 'kubernetes.io/os'

/** What a pod asks for beyond a node's allocatable, as sentences. */
function beyond(pod: Pod, allocatable: Readonly<Record<string, string>>): string[] {
  const requests = podAmounts(pod, 'requests')
  return (['cpu', 'memory'] as const).flatMap(name => {
    const value = name === 'cpu' ? milliValue : quantityValue
    const [asked, there] = [value(requests[name] ?? '0'), value(allocatable[name] ?? '0')]
    return asked > there ? [`${name}, requested: ${asked}, allocatable: ${there}`] : []
  })
}

/** The plugin over the cluster's nodes. */
export function podResizeValidator(nodes: KindReader): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    handles: ({ kind, subresource, operation }) =>
      operation === 'UPDATE' && subresource === 'resize' && kind.key === 'v1/pods',
    validate(request) {
      const pod = request.object as Pod
      const name = pod.spec?.nodeName
      if (!name || request.old?.metadata?.generation === pod.metadata?.generation) return
      const node = nodes.get('', name)?.value as Node | undefined
      if (!node) throw refuse(request, `node ${JSON.stringify(name)} not found`)
      const os = node.metadata?.labels?.[OS] ?? 'linux'
      if (os !== 'linux') {
        const why = `pod resize is only supported on linux nodes, node ${JSON.stringify(name)} is ${JSON.stringify(os)}`
        throw refuse(request, why, { reason: 'UnsupportedPlatform' })
      }
      const problems = beyond(pod, node.status?.allocatable ?? {})
      if (problems.length > 0) {
        const why = `node didn't have enough allocatable resources: ${problems.join('; ')}`
        throw refuse(request, why, { reason: 'NodeCapacity' })
      }
    },
  }
}
