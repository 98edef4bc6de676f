import { CelList, CelMap, Opaque, sizeForCost, typeName, type Value } from '../values.ts'
import { work } from '../work.ts'

/** What reading one character of a string costs. */
export const STRING_FACTOR = 0.1
/** What one character of a pattern costs. */
export const REGEX_FACTOR = 0.25
export const LIST_COST = 10
export const MAP_COST = 30
export const STRUCT_COST = 40

/** The cost of a call, from its arguments and its result. */
export type CallCost = (args: readonly Value[], result: Value) => number

const size = (args: readonly Value[], index: number) => sizeForCost(args[index] as Value)
const one: CallCost = () => 1
const traverse =
  (factor: number): CallCost =>
  args =>
    Math.ceil(size(args, 0) * factor)
const scan: CallCost = args => traversal(args[0] as Value)
const regex: CallCost = args => Math.ceil((1 + size(args, 0)) * STRING_FACTOR) * Math.ceil(size(args, 1) * REGEX_FACTOR)
const smaller: CallCost = args => Math.ceil(Math.min(size(args, 0), size(args, 1)) * STRING_FACTOR)
const both: CallCost = args => Math.ceil((size(args, 0) + size(args, 1)) * STRING_FACTOR)
const contains: CallCost = args => Math.ceil(size(args, 0) * STRING_FACTOR) * Math.ceil(size(args, 1) * STRING_FACTOR)
const selector: CallCost = args =>
  LIST_COST +
  Math.ceil(size(args, 1) * STRING_FACTOR) +
  Math.ceil(Math.ceil(size(args, 1) * 0.5) * (LIST_COST + STRUCT_COST))

function inCidr(parsed: boolean, cidr: boolean): CallCost {
  return args => {
    const base = size(args, 0)
    const mask = cidr ? Math.ceil(base * STRING_FACTOR) + 1 : 0
    return Math.ceil(2 * base * STRING_FACTOR) + mask + (parsed ? 0 : Math.ceil(size(args, 1) * STRING_FACTOR))
  }
}

const allocating = (factor: number, items: number) => Math.floor(items * factor) + 1 + LIST_COST
const output: CallCost = (_args, result) => allocating(1, sizeForCost(result))

function selfCompare(list: Value): number {
  if (!(list instanceof CelList) || list.size === 0) return allocating(2, 0)
  const name = typeName(list.at(0))
  return allocating(name === 'string' || name === 'bytes' ? 2 + STRING_FACTOR : 2, list.size * list.size)
}

const flatten: CallCost = args => allocating(args.length === 2 ? Number(args[1]) : 1, size(args, 0))

/** By name of the function: the costs that Kubernetes sets. */
const BY_FUNCTION = new Map<string, CallCost>([
  ['check', () => 350_000],
  ...named(
    'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery',
    one,
  ),
  ...named('fieldSelector labelSelector', selector),
  ...named('isSorted sum max min indexOf lastIndexOf', scan),
  ...named('url lowerAscii upperAscii substring trim jsonpatch.escapeKey', traverse(STRING_FACTOR)),
  ...named('cidr isIP isCIDR ip quantity isQuantity semver isSemver', traverse(STRING_FACTOR)),
  ...named('replace split ip.isCanonical', traverse(2 * STRING_FACTOR)),
  ['join', (_args, result) => Math.ceil(sizeForCost(result) * 2 * STRING_FACTOR)],
  ...named('find findAll', regex),
])

/** By id of the overload, when the checker found exactly one. */
const BY_OVERLOAD = new Map<string, CallCost>([
  ['cidr_ip', one],
  ['cidr_contains_ip_string', inCidr(false, false)],
  ['cidr_contains_ip_ip', inCidr(true, false)],
  ['cidr_contains_cidr_string', inCidr(false, true)],
  ['cidr_contains_cidr', inCidr(true, true)],
  ...named('list_slice lists_range list_reverse', output),
  ...named('list_flatten list_flatten_int', flatten),
  ['list_distinct', args => selfCompare(args[0] as Value)],
  ...named('starts_with_string ends_with_string string_to_bytes bytes_to_string string_quote string_format', args =>
    Math.ceil(size(args, 0) * STRING_FACTOR),
  ),
  ['in_list', args => size(args, 1)],
  ...named('less_string greater_string less_equals_string greater_equals_string', smaller),
  ...named('less_bytes greater_bytes less_equals_bytes greater_equals_bytes', smaller),
  ...named('equals not_equals', smaller),
  ...named('add_string add_bytes', both),
  ['matches_string', regex],
  ['contains_string', contains],
])

function named(names: string, cost: CallCost): [string, CallCost][] {
  return names.split(' ').map(name => [name, cost])
}

/** The cost of a call, as Kubernetes counts it; most cost 1. */
export function callCost(name: string, overloads: readonly string[] | undefined, own: CallCost | undefined): CallCost {
  if (own !== undefined) return own
  const id = overloads?.length === 1 ? (overloads[0] as string) : ''
  if (name === '_==_') return equality
  if (/^list_.*_sort$/.test(id)) return args => selfCompare(args[0] as Value)
  if (id.endsWith('_sortByAssociatedKeys')) return args => selfCompare(args[1] as Value)
  if (id.startsWith('cidr_') || id.startsWith('list_')) {
    const special = BY_OVERLOAD.get(id)
    if (special !== undefined) return special
  }
  return BY_FUNCTION.get(name) ?? BY_OVERLOAD.get(id) ?? one
}

const equality: CallCost = (args, result) => (args[0] instanceof Opaque ? 1 : smaller(args, result))

/** What going through a value once costs. */
function traversal(value: Value): number {
  if (typeof value === 'string') return Math.floor(utf8Length(value) * STRING_FACTOR)
  if (value instanceof Uint8Array) return Math.floor(value.length * STRING_FACTOR)
  let cost = 0
  if (value instanceof CelList) {
    work(value.size)
    for (const item of value) cost += traversal(item)
    return cost
  }
  if (value instanceof CelMap) {
    work(value.size)
    for (const key of value.keys()) cost += traversal(key) + traversal(value.find(key) as Value)
    return cost
  }
  return 1
}

const encoder = new TextEncoder()

function utf8Length(text: string): number {
  return /^[\0-\x7f]*$/.test(text) ? text.length : encoder.encode(text).length
}
