import type { Call, Comprehension, Expr, Ident, ListExpr, Literal } from './ast.ts'

/** A macro that fits by name and number of arguments, but whose arguments are not as they must be. */
export interface MacroError {
  readonly at: number
  readonly message: string
}

/** Name of the variable that a loop gathers its result in; no source can spell it. */
export const ACCU = '@result'
const OLD_ACCU = '__result__'
const UNUSED = '#unused'

/** Makes the expression that a macro stands for. `at` is the place of its opening parenthesis. */
type Expand = (at: number, target: Expr, args: readonly Expr[]) => Expr | MacroError

/** Name, number of arguments → expansion; all are written `target.name(args)`. */
const RECEIVER_MACROS: ReadonlyMap<string, Expand> = new Map<string, Expand>([
  ['all/2', (at, target, args) => quantifier(at, target, args, all)],
  ['all/3', (at, target, args) => quantifier(at, target, args, all)],
  ['exists/2', (at, target, args) => quantifier(at, target, args, exists)],
  ['exists/3', (at, target, args) => quantifier(at, target, args, exists)],
  ['exists_one/2', (at, target, args) => quantifier(at, target, args, existsOne)],
  ['exists_one/3', (at, target, args) => quantifier(at, target, args, existsOne)],
  ['existsOne/3', (at, target, args) => quantifier(at, target, args, existsOne)],
  ['map/2', (at, target, [x, f]) => mapList(at, target, x as Expr, undefined, f as Expr)],
  ['map/3', (at, target, [x, p, f]) => mapList(at, target, x as Expr, p, f as Expr)],
  ['filter/2', (at, target, [x, p]) => mapList(at, target, x as Expr, p, x as Expr)],
  ['transformList/3', (at, target, [k, v, f]) => transform(at, target, [k, v], undefined, f as Expr, 'list')],
  ['transformList/4', (at, target, [k, v, p, f]) => transform(at, target, [k, v], p, f as Expr, 'list')],
  ['transformMap/3', (at, target, [k, v, f]) => transform(at, target, [k, v], undefined, f as Expr, 'map')],
  ['transformMap/4', (at, target, [k, v, p, f]) => transform(at, target, [k, v], p, f as Expr, 'map')],
  ['transformMapEntry/3', (at, target, [k, v, f]) => transform(at, target, [k, v], undefined, f as Expr, 'entry')],
  ['transformMapEntry/4', (at, target, [k, v, p, f]) => transform(at, target, [k, v], p, f as Expr, 'entry')],
  ['optMap/2', (at, target, [x, f]) => optMap(at, target, x as Expr, f as Expr, true)],
  ['optFlatMap/2', (at, target, [x, f]) => optMap(at, target, x as Expr, f as Expr, false)],
  ['sortBy/2', (at, target, [x, f]) => sortBy(at, target, x as Expr, f as Expr)],
])

/** The expansion of `target.name(args)` or `name(args)`; undefined when it is an ordinary call. */
export function expandMacro(
  at: number,
  name: string,
  target: Expr | undefined,
  args: readonly Expr[],
): Expr | MacroError | undefined {
  if (target !== undefined) return RECEIVER_MACROS.get(`${name}/${args.length}`)?.(at, target, args)
  if (name !== 'has' || args.length !== 1) return undefined
  const arg = args[0] as Expr
  if (arg.kind !== 'select') return { at: arg.at, message: 'invalid argument to has() macro' }
  return { kind: 'select', at, operand: arg.operand, field: arg.field, test: true }
}

const literal = (at: number, value: Literal['value']): Literal => ({ kind: 'literal', at, value })
const ident = (at: number, name: string): Ident => ({ kind: 'ident', at, name })
const call = (at: number, name: string, ...args: Expr[]): Call => ({ kind: 'call', at, name, target: undefined, args })
const member = (at: number, name: string, target: Expr, ...args: Expr[]): Call => ({
  kind: 'call',
  at,
  name,
  target,
  args,
})
const list = (at: number, ...elements: Expr[]): ListExpr => ({
  kind: 'list',
  at,
  elements,
  optional: elements.map(() => false),
})

type LoopParts = Pick<Comprehension, 'init' | 'condition' | 'step' | 'result'>

function all(at: number, predicate: Expr): LoopParts {
  return {
    init: literal(at, true),
    condition: call(at, '@not_strictly_false', ident(at, ACCU)),
    step: call(at, '_&&_', ident(at, ACCU), predicate),
    result: ident(at, ACCU),
  }
}

function exists(at: number, predicate: Expr): LoopParts {
  return {
    init: literal(at, false),
    condition: call(at, '@not_strictly_false', call(at, '!_', ident(at, ACCU))),
    step: call(at, '_||_', ident(at, ACCU), predicate),
    result: ident(at, ACCU),
  }
}

function existsOne(at: number, predicate: Expr): LoopParts {
  return {
    init: literal(at, 0n),
    condition: literal(at, true),
    step: call(at, '_?_:_', predicate, call(at, '_+_', ident(at, ACCU), literal(at, 1n)), ident(at, ACCU)),
    result: call(at, '_==_', ident(at, ACCU), literal(at, 1n)),
  }
}

function loop(at: number, range: Expr, vars: readonly string[], parts: LoopParts, accuVar = ACCU): Comprehension {
  return { kind: 'comprehension', at, range, iterVar: vars[0] as string, iterVar2: vars[1], accuVar, ...parts }
}

function quantifier(
  at: number,
  target: Expr,
  args: readonly Expr[],
  parts: (at: number, predicate: Expr) => LoopParts,
): Expr | MacroError {
  const vars = loopVars(args.slice(0, -1), 'argument must be a simple name')
  if ('message' in vars) return vars
  return loop(at, target, vars, parts(at, args.at(-1) as Expr))
}

/** The names of the loop variables, or what is wrong with them. */
function loopVars(args: readonly Expr[], notAName: string): string[] | MacroError {
  const names: string[] = []
  for (const arg of args) {
    if (arg.kind !== 'ident') return { at: arg.at, message: notAName }
    if (names.includes(arg.name)) return { at: arg.at, message: `duplicate variable name: ${arg.name}` }
    names.push(arg.name)
  }
  const hidden = args.findIndex(arg => arg.kind === 'ident' && (arg.name === ACCU || arg.name === OLD_ACCU))
  if (hidden >= 0)
    return { at: (args[hidden] as Expr).at, message: 'iteration variable overwrites accumulator variable' }
  return names
}

function mapList(at: number, target: Expr, x: Expr, predicate: Expr | undefined, value: Expr): Expr | MacroError {
  const vars = loopVars([x], 'argument is not an identifier')
  if ('message' in vars) return vars
  return loop(at, target, vars, gather(at, list(at), call(at, '_+_', ident(at, ACCU), list(at, value)), predicate))
}

/** A loop that goes through everything and, where the predicate holds, takes a step. */
function gather(at: number, init: Expr, step: Expr, predicate: Expr | undefined): LoopParts {
  return {
    init,
    condition: literal(at, true),
    step: predicate === undefined ? step : call(at, '_?_:_', predicate, step, ident(at, ACCU)),
    result: ident(at, ACCU),
  }
}

function transform(
  at: number,
  target: Expr,
  variables: readonly (Expr | undefined)[],
  predicate: Expr | undefined,
  value: Expr,
  into: 'list' | 'map' | 'entry',
): Expr | MacroError {
  const vars = loopVars(variables as Expr[], 'argument must be a simple name')
  if ('message' in vars) return vars
  if (into === 'list') {
    const step = call(at, '_+_', ident(at, ACCU), list(at, value))
    return loop(at, target, vars, gather(at, list(at), step, predicate))
  }
  const args = into === 'map' ? [ident(at, vars[0] as string), value] : [value]
  const step = call(at, 'cel.@mapInsert', ident(at, ACCU), ...args)
  return loop(at, target, vars, gather(at, { kind: 'map', at, entries: [] }, step, predicate))
}

/** `cel.bind(name, value, body)`: a loop over nothing whose accumulator is the name. */
function bind(at: number, name: string, value: Expr, body: Expr): Comprehension {
  const parts = { init: value, condition: literal(at, false), step: ident(at, name), result: body }
  return loop(at, list(at), [UNUSED], parts, name)
}

function optMap(at: number, target: Expr, x: Expr, body: Expr, wrap: boolean): Expr | MacroError {
  const name = wrap ? 'optMap' : 'optFlatMap'
  if (x.kind !== 'ident') return { at: x.at, message: `${name}() variable name must be a simple identifier` }
  const bound = bind(at, x.name, member(at, 'value', target), body)
  const some = wrap ? call(at, 'optional.of', bound) : bound
  return call(at, '_?_:_', member(at, 'hasValue', target), some, call(at, 'optional.none'))
}

const SORT_INPUT = '@__sortBy_input__'

function sortBy(at: number, target: Expr, x: Expr, key: Expr): Expr | MacroError {
  const keys = mapList(at, ident(at, SORT_INPUT), x, undefined, key)
  if ('message' in keys) return keys
  return bind(at, SORT_INPUT, target, member(at, '@sortByAssociatedKeys', ident(at, SORT_INPUT), keys))
}
