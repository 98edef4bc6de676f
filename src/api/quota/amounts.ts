/** Sums over resource lists (`{ cpu: '500m', pods: '3' }`), as quotas need them. Nothing changes its arguments. */
import type { ResourceList } from '../kinds/core/resources.ts'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isZeroQuantity,
  parseQuantity,
  subtractQuantities,
} from '../machinery/quantity.ts'

export type Amounts = Readonly<ResourceList>

const entries = (amounts: Amounts) => Object.entries(amounts)

/** Every name of either, with the sum. */
export function add(a: Amounts, b: Amounts): ResourceList {
  const result: ResourceList = { ...a }
  for (const [name, amount] of entries(b)) {
    const own = result[name]
    result[name] = own === undefined ? amount : formatQuantity(addQuantities(parseQuantity(own), parseQuantity(amount)))
  }
  return result
}

/** Every name of either, with the larger amount. */
export function max(a: Amounts, b: Amounts): ResourceList {
  const result: ResourceList = { ...a }
  for (const [name, amount] of entries(b)) {
    const own = result[name]
    if (own === undefined || compareQuantities(amount, own) > 0) result[name] = amount
  }
  return result
}

/** What `a` has more than `b`, of every name of either; nothing is below 0. */
export function excess(a: Amounts, b: Amounts): ResourceList {
  const result: ResourceList = {}
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const rest = subtractQuantities(parseQuantity(a[name] ?? '0'), parseQuantity(b[name] ?? '0'))
    result[name] = rest.nano > 0n ? formatQuantity(rest) : '0'
  }
  return result
}

/** Those of these names. */
export function mask(amounts: Amounts, names: Iterable<string>): ResourceList {
  const result: ResourceList = {}
  for (const name of names) if (amounts[name] !== undefined) result[name] = amounts[name]
  return result
}

/** Those that are not 0. */
export const withoutZeros = (amounts: Amounts): ResourceList =>
  Object.fromEntries(entries(amounts).filter(([, amount]) => !isZeroQuantity(amount)))

/** Names whose amount is below 0. */
export const negatives = (amounts: Amounts): string[] =>
  entries(amounts).flatMap(([name, amount]) => (compareQuantities(amount, '0') < 0 ? [name] : []))

/** Names of `amounts` that `limits` has too and that are larger there. */
export const beyond = (amounts: Amounts, limits: Amounts): string[] =>
  entries(amounts).flatMap(([name, amount]) =>
    limits[name] !== undefined && compareQuantities(amount, limits[name]) > 0 ? [name] : [],
  )

/** Whether both have the same names and amounts, however written. */
export function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every(name => b[name] !== undefined && compareQuantities(a[name]!, b[name]) === 0)
}

/** `cpu=1,pods=2`, by name. */
export const describe = (amounts: Amounts): string =>
  entries(amounts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${canonicalQuantity(amount)}`)
    .join(',')
