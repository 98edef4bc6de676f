import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'
import type { Pod } from './pod-shape.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** PodTopologyLabels: a pod carries the zone and the region of its node, from when it is bound (KEP-4742). */
export function podTopologyLabels(nodes: KindReader): AdmissionPlugin {
  const label = (object: KubeObject, node: string) => {
    const labels = nodes.get('', node)?.value.metadata?.labels ?? {}
    const found = LABELS.filter(each => labels[each] !== undefined).map(each => [each, labels[each]!] as const)
    if (!found.length) return
    const metadata = (object.metadata ??= {})
    metadata.labels = { ...metadata.labels, ...Object.fromEntries(found) }
  }
  return {
    name: 'PodTopologyLabels',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/pods' && operation === 'CREATE' && (subresource === '' || subresource === 'binding'),
    mutate({ object, subresource }) {
      if (subresource === '') return label(object!, (object as Pod).spec.nodeName ?? '')
      const { target } = object as { target?: { kind?: string; name?: string } }
      if (target?.kind === 'Node') label(object!, target.name ?? '')
    },
  }
}
