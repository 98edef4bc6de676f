/** Rules of CSIStorageCapacities (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { CSIStorageCapacity } from '../../generated/types/storage-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import { check, checkSubdomain, immutable, immutableText } from '../rules.ts'

export const csiStorageCapacityRules: readonly Rule<CSIStorageCapacity>[] = [
  check<CSIStorageCapacity>(({ nodeTopology, storageClassName, capacity }, errors) => {
    if (nodeTopology) errors.push(...validateLabelSelector(nodeTopology, 'nodeTopology'))
    checkSubdomain(storageClassName ?? '', 'storageClassName', errors)
    if (capacity === undefined || quantityProblem(capacity) !== undefined) return
    if (compareQuantities(capacity, '0') < 0) {
      errors.push(invalid('capacity', capacity, 'must be greater than or equal to 0'))
    }
  }),
  immutable('nodeTopology'),
  immutableText('storageClassName'),
]
