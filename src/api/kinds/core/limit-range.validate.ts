/** Rules of LimitRanges (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { LimitRange, LimitRangeItem } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isQualifiedName } from '../../machinery/names.ts'
import { canonicalQuantity, compareQuantities, milliValue, quantityProblem } from '../../machinery/quantity.ts'
import { check, checkFormat, type Errors } from '../rules.ts'
import { checkResourceName } from './resource-names.validate.ts'
import { canOvercommit, checkContainerResourceName } from './resources.validate.ts'

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim']
const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

/** Pairs of which the first is not above the second: where it is said, which of them is shown, and their names. */
const ORDERS = [
  ['min', 'max', 'min', 'min', 'min value', 'max value'],
  ['min', 'defaultRequest', 'defaultRequest', 'defaultRequest', 'min value', 'default request value'],
  ['defaultRequest', 'max', 'defaultRequest', 'defaultRequest', 'default request value', 'max value'],
  ['defaultRequest', 'default', 'defaultRequest', 'defaultRequest', 'default request value', 'default limit value'],
  ['min', 'default', 'default', 'min', 'min value', 'default value'],
  ['default', 'max', 'default', 'max', 'default value', 'max value'],
] as const

function checkType(type: string, path: string, errors: Errors): void {
  const problems = isQualifiedName(type)
  checkFormat(problems, type, path, errors)
  if (problems.length || type.includes('/') || TYPES.includes(type)) return
  errors.push(invalid(path, type, 'must be a standard limit type or fully qualified'))
}

/** The amounts of one resource by list, in canonical form. */
type Amounts = { readonly [L in (typeof LISTS)[number]]?: string }

function amountsOf(item: LimitRangeItem, name: string): Amounts {
  const amounts: Record<string, string> = {}
  for (const list of LISTS) {
    const amount = item[list]?.[name]
    if (amount !== undefined && quantityProblem(amount) === undefined) amounts[list] = canonicalQuantity(amount)
  }
  return amounts
}

function checkRatio(amounts: Amounts, path: string, errors: Errors): void {
  const { maxLimitRequestRatio: ratio, min, max } = amounts
  if (ratio === undefined) return
  if (compareQuantities(ratio, '1') < 0) errors.push(invalid(path, ratio, `ratio ${ratio} is less than 1`))
  if (min === undefined || max === undefined) return
  const limit = milliValue(max) / milliValue(min)
  if (!(milliValue(ratio) / 1000 > limit)) return
  const shown = Number.isFinite(limit) ? limit.toFixed(6) : '+Inf'
  errors.push(invalid(path, ratio, `ratio ${ratio} is greater than max/min = ${shown}`))
}

function checkAmounts(name: string, amounts: Amounts, path: string, errors: Errors): void {
  for (const [low, high, where, shown, lowName, highName] of ORDERS) {
    const [a, b] = [amounts[low], amounts[high]]
    if (a === undefined || b === undefined || compareQuantities(a, b) <= 0) continue
    const what = `${lowName} ${a} is greater than ${highName} ${b}`
    errors.push(invalid(`${path}.${where}[${name}]`, amounts[shown], what))
  }
  checkRatio(amounts, `${path}.maxLimitRequestRatio[${name}]`, errors)
  const { default: limit, defaultRequest: request } = amounts
  if (canOvercommit(name) || limit === undefined || request === undefined) return
  if (compareQuantities(limit, request) === 0) return
  const what = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`
  errors.push(invalid(`${path}.defaultRequest[${name}]`, request, what))
}

function checkItem(item: LimitRangeItem, path: string, errors: Errors): void {
  const inPod = item.type === 'Pod' || item.type === 'Container'
  const names = new Set<string>()
  for (const list of LISTS) {
    const given = Object.keys(item[list] ?? {})
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (given.length) errors.push(forbidden(`${path}.${list}`, "may not be specified when `type` is 'Pod'"))
      continue
    }
    for (const name of given) {
      const at = `${path}.${list}[${name}]`
      if (inPod) checkContainerResourceName(name, at, errors)
      else checkResourceName(name, at, errors)
      names.add(name)
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage) {
    const what = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(`${path}.limits`, what))
  }
  const { default: _limit, defaultRequest: _request, ...podItem } = item
  for (const name of names) {
    checkAmounts(name, amountsOf(item.type === 'Pod' ? podItem : item, name), path, errors)
  }
}

export const limitRangeRules: readonly Rule<LimitRange>[] = [
  check<LimitRange>(({ spec }, errors) => {
    const types = new Set<string>()
    for (const [index, item] of (spec?.limits ?? []).entries()) {
      const path = `spec.limits[${index}]`
      const type = item.type ?? ''
      checkType(type, `${path}.type`, errors)
      if (types.has(type)) errors.push(duplicate(`${path}.type`, type))
      types.add(type)
      checkItem(item, path, errors)
    }
  }),
]
