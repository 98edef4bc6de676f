import type { Node as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { cidrWarnings } from '../ip-warnings.ts'
import { nodeRules } from './node.validate.ts'
import { nodeColumns } from './node-columns.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 Node. */
export type Node = Type

type Spec = NonNullable<Node['spec']>

/** The old singular field is the first of the list. Where they differ, it is right: its client knows no list. */
function settlePodCidrs(spec: Spec): void {
  if (spec.podCIDR && spec.podCIDR !== spec.podCIDRs?.[0]) spec.podCIDRs = [spec.podCIDR]
  else if (!spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0]
}

function warnings({ spec }: Node): string[] {
  return [
    ...(spec?.configSource ? ['spec.configSource: the feature is removed'] : []),
    ...(spec?.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
    ...(spec?.podCIDRs ?? []).flatMap((cidr, index) => cidrWarnings(cidr, `spec.podCIDRs[${index}]`)),
  ]
}

/** Configuration of kubelets by the API is gone. */
function dropConfiguration({ spec, status }: Node): void {
  delete spec?.configSource
  delete status?.config
}

export const Node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Node',
  status: true,
  subresources: [
    {
      name: 'proxy',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      responseKind: { group: '', version: 'v1', kind: 'NodeProxyOptions' },
    },
  ],
  statusOnCreate: true,
  defaults({ spec, status }) {
    if (spec) settlePodCidrs(spec)
    if (!status) return
    canonicalResources(status.capacity)
    canonicalResources(status.allocatable)
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
  },
  prepareCreate: dropConfiguration,
  prepareUpdate: dropConfiguration,
  selectable: { 'spec.unschedulable': node => String(node.spec?.unschedulable ?? false) },
  rules: nodeRules,
  warnings,
  columns: nodeColumns,
})
