import type { PodMetrics as Type } from '../../generated/types/metrics-v1beta1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { addQuantities, formatQuantity, parseQuantity } from '../../machinery/quantity.ts'
import { usageColumns } from './usage-columns.ts'

/** metrics.k8s.io/v1beta1 PodMetrics: what the containers of a pod use. */
export type PodMetrics = Type

function used({ containers = [] }: Partial<PodMetrics>, resource: string): string {
  const amounts = containers.flatMap(({ usage }) => (usage[resource] ? [parseQuantity(usage[resource])] : []))
  return amounts.length ? formatQuantity(amounts.reduce(addQuantities)) : ''
}

export const PodMetrics = defineKind<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  namespaced: true,
  verbs: ['get', 'list'],
  schema: 'io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics',
  virtual: true,
  columns: usageColumns(used),
})
