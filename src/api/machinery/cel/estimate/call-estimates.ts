import type { Expr } from '../syntax/ast.ts'
import type { CelType } from '../types.ts'
import { exactly, plus, type Range, scaled, times, UNBOUNDED, UNKNOWN } from './range.ts'

/** A part of an expression, as the estimate of a call sees it. */
export interface Operand {
  readonly expr: Expr
  readonly type: CelType
  /** Its size; unknown where nothing is known. */
  readonly size: Range
  /** The size of the elements when it is a list, as far as the schema tells. */
  readonly elementSize: Range | undefined
}

/** What a call may cost and how big its result may be. */
export interface CallEstimate {
  readonly cost: Range
  readonly size?: Range
}

type Estimate = (target: Operand | undefined, args: readonly Operand[]) => CallEstimate | undefined

const STRING = 0.1
const REGEX = 0.25
const one: Estimate = () => ({ cost: exactly(1) })

const named = (names: string, estimate: Estimate): [string, Estimate][] =>
  names.split(' ').map(name => [name, estimate])

/** A walk through the target; with lists of strings through these too. */
const scan: Estimate = target => {
  if (target === undefined) return undefined
  const element = target.type.params[0]
  if (element === undefined) return { cost: scaled(target.size, STRING) }
  const text = element.kind === 'string' || element.kind === 'bytes'
  const each = text ? plus(exactly(1), scaled(target.elementSize ?? UNKNOWN, STRING)) : exactly(1)
  return { cost: times(target.size, each) }
}

const parse =
  (factor: number): Estimate =>
  (_target, [text]) =>
    text && { cost: scaled(text.size, factor) }

const copyTarget: Estimate = target => target && { cost: scaled(target.size, STRING), size: target.size }
const copyArg: Estimate = (_target, [text]) => text && { cost: scaled(text.size, STRING), size: text.size }

const selector: Estimate = (_target, [text]) => {
  if (text === undefined) return undefined
  const requirements = scaled(scaled(text.size, 0.5), 50)
  return { cost: plus(plus(exactly(10), scaled(text.size, STRING)), requirements) }
}

const replace: Estimate = (target, [old, by]) => {
  if (target === undefined || old === undefined || by === undefined) return undefined
  const most = replacements(target.size.max, old.size.min, by.size.max <= old.size.min)
  const least = replacements(target.size.min, old.size.max, old.size.max <= by.size.min)
  const size = plus(times({ min: least.count, max: most.count }, by.size), { min: least.kept, max: most.kept })
  return { cost: scaled(target.size, 2 * STRING), size }
}

/** How often something of one size may be replaced in a text, and how much of the text stays beside that. */
function replacements(text: number, old: number, noDifference: boolean): { count: number; kept: number } {
  if (old === 0) return { count: text < UNBOUNDED ? text + 1 : text, kept: text }
  return noDifference ? { count: 0, kept: text } : { count: Math.ceil(text / old), kept: 0 }
}

const split: Estimate = (target, args) => {
  if (target === undefined) return undefined
  const limit = args[1]?.expr
  const max = limit?.kind === 'literal' && typeof limit.value === 'bigint' ? Number(limit.value) : target.size.max
  return { cost: scaled(target.size, 2 * STRING), size: { min: 0, max: max < 0 ? UNBOUNDED : max } }
}

const join: Estimate = (target, [separator]) => {
  if (target === undefined) return undefined
  let size = target.type.params.length > 0 ? times(target.size, target.elementSize ?? UNKNOWN) : exactly(0)
  const gaps = { min: Math.max(0, target.size.min - 1), max: Math.max(0, target.size.max - 1) }
  if (separator !== undefined) size = plus(size, times(separator.size, gaps))
  return { cost: scaled(size, STRING), size }
}

const find: Estimate = (target, [pattern]) => {
  if (target === undefined || pattern === undefined) return undefined
  const cost = times(scaled(plus(target.size, exactly(1)), STRING), scaled(pattern.size, REGEX))
  return { cost, size: { min: 0, max: target.size.max } }
}

const ADDRESS: Range = { min: 4, max: 16 }

const contained =
  (cidr: boolean): Estimate =>
  (_target, [other]) => {
    if (other === undefined) return undefined
    let cost = scaled(plus(ADDRESS, ADDRESS), STRING)
    if (cidr) cost = plus(plus(cost, scaled(ADDRESS, STRING)), exactly(1))
    return { cost: other.type.kind === 'string' ? plus(cost, scaled(other.size, STRING)) : cost }
  }

const validate: Estimate = (_target, [text]) => text && { cost: scaled(scaled(text.size, STRING), 128 * REGEX) }

const allocating = (factor: number, size: Range): CallEstimate => ({
  cost: plus(scaled(size, factor), exactly(11)),
  size,
})

const intOf = (operand: Operand | undefined, otherwise: number): number => {
  if (operand?.expr.kind !== 'literal' || typeof operand.expr.value !== 'bigint') return otherwise
  return Math.max(0, Number(operand.expr.value))
}

const compared = (list: Operand | undefined): CallEstimate | undefined => {
  const element = list?.type.params[0]?.kind
  const factor = element === 'string' || element === 'bytes' ? 2 + STRING : 2
  return list && allocating(factor, times(list.size, list.size))
}

/** A range that ends before it begins counts as endless. */
const distance = (start: number, end: number) => (end < start ? UNBOUNDED : end - start)

const slice: Estimate = (target, [start, end]) =>
  target && allocating(1, exactly(distance(intOf(start, 0), intOf(end, target.size.max))))

const equality: Estimate = (_target, [left, right]) => {
  if (left === undefined || right === undefined || left.type.name !== right.type.name) return undefined
  switch (left.type.name) {
    case 'kubernetes.NamedFormat':
      return { cost: scaled({ min: 1, max: 64 }, STRING) }
    case 'kubernetes.URL':
      return { cost: scaled({ min: 1, max: Math.max(1, right.size.max) }, STRING) }
    default:
      return /^(?:kubernetes\.|net\.)/.test(left.type.name) ? { cost: exactly(1) } : undefined
  }
}

const BY_FUNCTION = new Map<string, Estimate>([
  ['check', () => ({ cost: exactly(350_000) })],
  ...named(
    'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery',
    one,
  ),
  ...named('fieldSelector labelSelector', selector),
  ...named('isSorted sum max min indexOf lastIndexOf', scan),
  ...named('url jsonpatch.escapeKey', copyArg),
  ...named('lowerAscii upperAscii substring trim', copyTarget),
  ['replace', replace],
  ['split', split],
  ['join', join],
  ...named('find findAll', find),
  ...named('cidr isIP isCIDR ip quantity isQuantity semver isSemver', parse(STRING)),
  ['ip.isCanonical', parse(2 * STRING)],
  ['containsIP', contained(false)],
  ['containsCIDR', contained(true)],
  ['validate', validate],
  ['_==_', equality],
])

const bytes: Estimate = (_target, [text]) =>
  text && { cost: scaled(text.size, STRING), size: { min: text.size.min, max: text.size.max * 4 } }
const text: Estimate = (_target, [from]) =>
  from && { cost: scaled(from.size, STRING), size: { min: Math.floor(from.size.min / 4), max: from.size.max } }
const quoted: Estimate = (_target, [from]) =>
  from && { cost: scaled(from.size, STRING), size: { min: from.size.min + 2, max: from.size.max * 2 + 2 } }

const contains: Estimate = (target, [part]) =>
  target && part && { cost: times(scaled(target.size, STRING), scaled(part.size, STRING)) }

const smaller: Estimate = (_target, [left, right]) => {
  if (left === undefined || right === undefined) return undefined
  const max = Math.min(left.size.max, right.size.max)
  return { cost: scaled({ min: max > 0 ? 1 : 0, max }, STRING) }
}

const concatenated =
  (free: boolean): Estimate =>
  (_target, [left, right]) => {
    if (left === undefined || right === undefined) return undefined
    const size = plus(left.size, right.size)
    return { cost: free ? exactly(1) : scaled(size, STRING), size }
  }

const pairs =
  (factor: number): Estimate =>
  (_target, [left, right]) =>
    left && right && { cost: plus(scaled(times(left.size, right.size), factor), exactly(1)) }

const BY_OVERLOAD = new Map<string, Estimate>([
  ['cidr_ip', one],
  ['list_slice', slice],
  ['lists_range', (_target, [count]) => allocating(1, exactly(intOf(count, UNBOUNDED)))],
  ['list_reverse', target => target && allocating(1, target.size)],
  ['list_flatten', target => target && allocating(1, target.size)],
  ['list_flatten_int', (target, [depth]) => target && allocating(intOf(depth, UNBOUNDED), target.size)],
  ['list_distinct', target => target && allocating(2, times(target.size, target.size))],
  ['list_sets_contains_list', pairs(1)],
  ['list_sets_intersects_list', pairs(1)],
  ['list_sets_equivalent_list', pairs(2)],
  ['string_to_bytes', bytes],
  ['bytes_to_string', text],
  ['strings_quote', quoted],
  ['in_list', (_target, [, list]) => list && { cost: list.size }],
  ['matches_string', (target, args) => find(target, args) && { cost: (find(target, args) as CallEstimate).cost }],
  ['contains_string', contains],
  ...named('starts_with_string ends_with_string', (_target, [part]) => part && { cost: scaled(part.size, STRING) }),
  ...named(
    'less_string greater_string less_equals_string greater_equals_string less_bytes greater_bytes less_equals_bytes greater_equals_bytes equals not_equals',
    smaller,
  ),
  ...named('add_string add_bytes', concatenated(false)),
  ['add_list', concatenated(true)],
  ['string_format', target => target && { cost: scaled(target.size, STRING) }],
])

/** What one overload of a call may cost without its arguments; 1 where nothing is said about it. */
export function estimateCall(
  name: string,
  overload: string,
  target: Operand | undefined,
  args: readonly Operand[],
): CallEstimate {
  const special = BY_OVERLOAD.get(overload)
  if (/^list_.*_sort$/.test(overload)) return compared(target) ?? { cost: exactly(1) }
  if (overload.endsWith('_sortByAssociatedKeys')) return compared(args[0]) ?? { cost: exactly(1) }
  if (special !== undefined && (overload.startsWith('list') || overload === 'cidr_ip'))
    return special(target, args) ?? { cost: exactly(1) }
  return BY_FUNCTION.get(name)?.(target, args) ?? special?.(target, args) ?? { cost: exactly(1) }
}
