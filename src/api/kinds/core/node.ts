import type { Node as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { nodeRules } from './node.validate.ts'
import { nodeColumns } from './node-columns.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 Node. */
export type Node = Type

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
  defaults({ status }) {
    if (!status) return
    canonicalResources(status.capacity)
    canonicalResources(status.allocatable)
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
  },
  // Configuration of kubelets by the API is gone.
  prepareCreate({ spec }) {
    delete spec?.configSource
  },
  selectable: { 'spec.unschedulable': node => String(node.spec?.unschedulable ?? false) },
  rules: nodeRules,
  columns: nodeColumns,
})
