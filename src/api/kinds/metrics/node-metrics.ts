import type { NodeMetrics as Type } from '../../generated/types/metrics-v1beta1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { usageColumns } from './usage-columns.ts'

/** metrics.k8s.io/v1beta1 NodeMetrics: what a node uses. */
export type NodeMetrics = Type

export const NodeMetrics = defineKind<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  namespaced: false,
  verbs: ['get', 'list'],
  schema: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics',
  virtual: true,
  columns: usageColumns(({ usage }, resource) => usage?.[resource] ?? ''),
})
