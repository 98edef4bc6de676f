/** Names of resources where quotas and ranges name them (k8s.io/kubernetes `pkg/apis/core/validation`). */
import { invalid } from '../../machinery/field-error.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import { canonicalQuantity, compareQuantities, milliValue, quantityProblem } from '../../machinery/quantity.ts'
import { checkFormat, type Errors } from '../rules.ts'
import { isCounted, isStandardResource } from './resources.validate.ts'

const isHugePages = (name: string) => /^(requests\.)?hugepages-/.test(name)

/** A resource that a quota without a prefix can count. */
export const isQuotaResource = (name: string): boolean =>
  (name !== 'storage' && isStandardResource(name)) || isHugePages(name)

/** A standard name, or one with a prefix. */
export function checkResourceName(name: string, path: string, errors: Errors): void {
  const problems = isQualifiedName(name)
  checkFormat(problems, name, path, errors)
  if (problems.length || name.includes('/') || isStandardResource(name) || isHugePages(name)) return
  errors.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
}

/** As checkResourceName, and one that quotas know. */
export function checkQuotaResourceName(name: string, path: string, errors: Errors): void {
  checkResourceName(name, path, errors)
  if (name.includes('/') || isQuotaResource(name)) return
  errors.push(invalid(path, name, 'must be a standard resource for quota'))
}

/** Not negative, and whole where the resource is counted. */
export function checkResourceAmount(name: string, amount: string, path: string, errors: Errors): void {
  if (quantityProblem(amount) !== undefined) return
  const shown = canonicalQuantity(amount)
  if (compareQuantities(amount, '0') < 0) errors.push(invalid(path, shown, 'must be greater than or equal to 0'))
  if (isCounted(name) && milliValue(amount) % 1000 !== 0) errors.push(invalid(path, shown, 'must be an integer'))
}
