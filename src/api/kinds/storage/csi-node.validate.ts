/** Rules of CSINodes (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { CSINode, CSINodeDriver } from '../../generated/types/storage-v1.ts'
import { duplicate, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { checkDriverName } from '../core/secret-reference.validate.ts'
import { check, checkNonNegative, checkQualifiedName, type Errors, IMMUTABLE, sameValue } from '../rules.ts'

const NODE_ID_MAX = 256

function checkDriver({ name, nodeID = '', allocatable, topologyKeys }: CSINodeDriver, path: string, errors: Errors) {
  checkDriverName(name, `${path}.name`, errors)
  if (!nodeID) errors.push(required(`${path}.nodeID`))
  if (nodeID.length > NODE_ID_MAX) {
    errors.push(invalid(`${path}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`))
  }
  checkNonNegative(allocatable?.count, `${path}.allocatable.count`, errors)
  const keys = new Set<string>()
  for (const key of topologyKeys ?? []) {
    if (!key) errors.push(required(path))
    if (keys.has(key)) errors.push(duplicate(path, key))
    keys.add(key)
    checkQualifiedName(key ?? '', path, errors)
  }
}

/** Only how much a driver can take may change. */
const sameDriver = ({ allocatable: _a, ...next }: CSINodeDriver, { allocatable: _b, ...old }: CSINodeDriver) =>
  sameValue(next, old)

export const csiNodeRules: readonly Rule<CSINode>[] = [
  check<CSINode>(({ spec }, errors, old) => {
    const drivers = spec?.drivers ?? []
    const names = new Set<string>()
    for (const [index, driver] of drivers.entries()) {
      const path = `spec.drivers[${index}]`
      checkDriver(driver, path, errors)
      const name = driver.name ?? ''
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name))
      names.add(name)
    }
    for (const before of old?.spec?.drivers ?? []) {
      for (const driver of drivers) {
        if (driver.name !== before.name || sameDriver(driver, before)) continue
        errors.push(invalid('spec.drivers', driver, IMMUTABLE))
      }
    }
  }),
]
