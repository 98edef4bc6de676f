/**
 * Resources that others advertise for a node by writing its capacity
 * (https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/). The node lets pods have all of them.
 */
import type { NodeStatus } from '../../api/generated/types/core-v1.ts'
import { isExtendedResource } from '../../api/kinds/core/resources.ts'
import { compareQuantities } from '../../api/machinery/quantity.ts'

/**
 * What must be changed in `allocatable` for that: amounts by name, null for what is not advertised any more. `own` are
 * the names of which the node itself says how much there is.
 */
export function advertised(
  { capacity = {}, allocatable = {} }: Pick<NodeStatus, 'capacity' | 'allocatable'>,
  own: Readonly<Record<string, unknown>>,
): Record<string, string | null> {
  const changes: Record<string, string | null> = {}
  const isOthers = (name: string) => isExtendedResource(name) && !(name in own)
  for (const [name, amount] of Object.entries(capacity)) {
    const known = allocatable[name]
    if (isOthers(name) && (known === undefined || compareQuantities(known, amount) !== 0)) changes[name] = amount
  }
  for (const name of Object.keys(allocatable)) if (isOthers(name) && !(name in capacity)) changes[name] = null
  return changes
}
