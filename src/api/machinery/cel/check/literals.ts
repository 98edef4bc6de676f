import { CelError, type Issue } from '../errors.ts'
import { parseDuration } from '../library/duration-text.ts'
import { regexProblem } from '../library/regex-engine.ts'
import { formatUses, VERBS } from '../library/string-format.ts'
import { FIRST_SECOND, isTimestampInRange, LAST_SECOND } from '../library/time-range.ts'
import { parseTimestamp } from '../library/timestamp-text.ts'
import type { Expr } from '../syntax/ast.ts'
import { children } from '../syntax/walk.ts'
import { type CelType, formatType, optionalElement } from '../types.ts'

/** Functions whose arguments may be lists of mixed types. */
const MIXED = new Set(['format'])

const LITERAL_CHECKS: Readonly<Record<string, (text: string) => boolean>> = {
  duration: text => parseDuration(text) !== undefined,
  timestamp: text => isTimestampInRange(parseTimestamp(text)),
  matches: text => regexProblem(text) === undefined,
}

/**
 * What is wrong with the literals of a checked expression: durations, timestamps and patterns that cannot be read,
 * and lists and maps that mix types.
 */
export function literalIssues(expr: Expr): readonly Issue[] {
  const issues = { duration: [] as Issue[], timestamp: [] as Issue[], matches: [] as Issue[], mixed: [] as Issue[] }
  visit(expr, false, new Set(), issues)
  return [...issues.duration, ...issues.timestamp, ...issues.matches, ...issues.mixed]
}

type Found = Readonly<Record<'duration' | 'timestamp' | 'matches' | 'mixed', Issue[]>>

function visit(expr: Expr, exempt: boolean, seen: Set<Expr>, found: Found): void {
  if (seen.has(expr)) return
  seen.add(expr)
  if (expr.kind === 'call') checkCall(expr, found)
  const inside = exempt || (expr.kind === 'call' && MIXED.has(expr.name))
  if (!inside) checkMixed(expr, found.mixed)
  for (const child of children(expr)) visit(child, inside, seen, found)
}

function checkCall(expr: Extract<Expr, { kind: 'call' }>, found: Found): void {
  const sound = LITERAL_CHECKS[expr.name]
  const arg = expr.args[0]
  if (expr.name === 'format') checkFormat(expr, found.mixed)
  if (expr.name === 'duration' && arg?.kind === 'literal' && typeof arg.value === 'bigint')
    found.duration.push({ at: arg.at, message: 'invalid duration argument' })
  if (expr.name === 'timestamp' && arg?.kind === 'literal' && typeof arg.value === 'bigint')
    if (arg.value < FIRST_SECOND || arg.value > LAST_SECOND)
      found.timestamp.push({ at: arg.at, message: 'invalid timestamp argument' })
  if (sound === undefined || arg?.kind !== 'literal' || typeof arg.value !== 'string' || sound(arg.value)) return
  found[expr.name as 'matches'].push({ at: arg.at, message: `invalid ${expr.name} argument` })
}

/** `'…'.format([…])` where both are written out: every clause against the type of its argument. */
function checkFormat(expr: Extract<Expr, { kind: 'call' }>, issues: Issue[]): void {
  const [text, list] = [expr.target, expr.args[0]]
  if (text?.kind !== 'literal' || typeof text.value !== 'string' || list?.kind !== 'list') return
  try {
    const uses = formatUses(text.value, list.elements.length)
    for (const use of uses) {
      const problem = misused(use.verb, list.elements[use.index] as Expr)
      if (problem !== undefined) return void issues.push(problem)
    }
    const [wanted, given] = [uses.length, list.elements.length]
    if (given > wanted)
      issues.push({
        at: expr.at,
        message: `too many arguments supplied to string.format (expected ${wanted}, got ${given})`,
      })
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    issues.push({ at: expr.at, message: error.message })
  }
}

function misused(verb: string, arg: Expr): Issue | undefined {
  const type = arg.type as CelType
  const { types, only } = VERBS[verb] as (typeof VERBS)[string]
  if (type.kind === 'dyn' || types.includes(type.name)) return undefined
  return { at: arg.at, message: `error during formatting: ${only}, was given ${type.name}` }
}

function checkMixed(expr: Expr, issues: Issue[]): void {
  if (expr.kind === 'list') firstMismatch(expr.elements, expr.optional, issues)
  if (expr.kind !== 'map') return
  const optional = expr.entries.map(entry => entry.optional)
  firstMismatch(
    expr.entries.map(entry => entry.key),
    [],
    issues,
  ) ||
    firstMismatch(
      expr.entries.map(entry => entry.value),
      optional,
      issues,
    )
}

function firstMismatch(items: readonly Expr[], optional: readonly boolean[], issues: Issue[]): boolean {
  let first: CelType | undefined
  for (const [index, item] of items.entries()) {
    const type = item.type as CelType
    const inner = optional[index] ? (optionalElement(type) ?? type) : type
    first ??= inner
    if (equivalent(first, inner)) continue
    const message = `expected type '${formatType(first)}' but found '${formatType(inner)}'`
    issues.push({ at: item.at, message })
    return true
  }
  return false
}

function equivalent(left: CelType, right: CelType): boolean {
  if (left.kind !== right.kind || left.name !== right.name || left.params.length !== right.params.length) return false
  return left.params.every((param, index) => equivalent(param, right.params[index] as CelType))
}
