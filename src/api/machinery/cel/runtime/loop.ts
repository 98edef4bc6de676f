import { CelError, fail } from '../errors.ts'
import type { Call, Comprehension, Expr } from '../syntax/ast.ts'
import { ArrayList, CelList, CelMap, typeName, type Value } from '../values.ts'
import { LIST_COST } from './cost.ts'
import type { Frame, Step } from './frame.ts'
import type { Planned, Planner } from './plan.ts'

/**
 * A loop. Those that macros make (`all`, `exists`, `map`, `filter`) run without the detour through an accumulator,
 * but are charged as if they took it, because that is what users have been told a rule costs.
 */
export function planLoop(planner: Planner, expr: Comprehension): Step {
  if (expr.range.kind === 'list' && expr.range.elements.length === 0 && expr.step.kind === 'ident')
    return planBinding(planner, expr)
  const range = planner.plan(expr.range).step
  const init = planner.plan(expr.init).step
  const loopVars = expr.iterVar2 === undefined ? [expr.iterVar] : [expr.iterVar, expr.iterVar2]
  return planner.inScope([expr.accuVar], ([accu]) => {
    const result = planner.plan(expr.result).step
    const vars = { accu: accu as number, first: 0, second: -1 }
    return planner.inScope(loopVars, ([first, second]) => {
      vars.first = first as number
      vars.second = second ?? -1
      const quantifier = planQuantifier(planner, expr, range, vars)
      if (quantifier !== undefined) return quantifier
      const list = planGather(planner, expr, range, vars)
      if (list !== undefined) return list
      const condition = planner.plan(expr.condition)
      const step = planner.plan(expr.step).step
      return fold(init, range, condition, step, result, vars)
    })
  })
}

/** A loop over nothing gives its accumulator a name in the result; it is computed when it is first read. */
function planBinding(planner: Planner, expr: Comprehension): Step {
  const init = planner.plan(expr.init).step
  const bind = ([index]: readonly number[]): Step => {
    const result = planner.plan(expr.result).step
    return frame => {
      frame.locals[index as number] = undefined
      return result(frame)
    }
  }
  return planner.inScope([expr.accuVar], bind, init)
}

/** Where the loop keeps its variables; `second` is -1 in loops of one variable. */
interface Vars {
  readonly accu: number
  readonly first: number
  readonly second: number
}

/** Calls `visit` for each element, with the loop variables set, until it says false. */
function each(frame: Frame, range: Value, vars: Vars, visit: () => boolean): void {
  const { locals } = frame
  if (range instanceof CelList) {
    for (let at = 0; at < range.size; at++) {
      if (vars.second < 0) locals[vars.first] = range.at(at)
      else {
        locals[vars.first] = BigInt(at)
        locals[vars.second] = range.at(at)
      }
      if (!visit()) return
    }
    return
  }
  if (!(range instanceof CelMap)) throw new CelError(`got '${goName(range)}', expected iterable type`)
  for (const key of range.keys()) {
    locals[vars.first] = key
    if (vars.second >= 0) locals[vars.second] = range.find(key) as Value
    if (!visit()) return
  }
}

function fold(init: Step, range: Step, condition: Planned, step: Step, result: Step, vars: Vars): Step {
  const always = condition.constant?.value === true
  return frame => {
    const items = range(frame)
    frame.locals[vars.accu] = init(frame)
    try {
      each(frame, items, vars, () => {
        if (!always && condition.step(frame) !== true) return false
        frame.locals[vars.accu] = step(frame)
        return true
      })
    } catch (error) {
      if (error instanceof CelError) frame.charge(1)
      throw error
    }
    return result(frame)
  }
}

/** `all` and `exists`: an error counts only when no element decides. */
function planQuantifier(planner: Planner, expr: Comprehension, range: Step, vars: Vars): Step | undefined {
  const { step } = expr
  if (expr.accuVar !== '@result' || step.kind !== 'call' || (step.name !== '_&&_' && step.name !== '_||_'))
    return undefined
  const decisive = step.name === '_||_'
  const conditionCost = decisive ? 3 : 2
  const predicate = planner.plan(step.args[1] as Expr).step
  return frame => {
    const items = range(frame)
    let outcome: boolean | CelError = !decisive
    each(frame, items, vars, () => {
      frame.charge(conditionCost)
      if (outcome === decisive) return false
      frame.charge(1)
      outcome = judge(frame, predicate, decisive, outcome)
      return true
    })
    frame.charge(1)
    if (typeof outcome === 'boolean') return outcome
    throw outcome
  }
}

function judge(frame: Frame, predicate: Step, decisive: boolean, before: boolean | CelError): boolean | CelError {
  let value: Value | CelError
  try {
    value = predicate(frame)
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    value = error
  }
  if (value === decisive) return decisive
  if (before instanceof CelError) return before
  if (typeof value === 'boolean') return before
  return value instanceof CelError ? value : new CelError('no such overload')
}

/** `map`, `filter` and `transformList`: elements are pushed where the accumulator would be copied. */
function planGather(planner: Planner, expr: Comprehension, range: Step, vars: Vars): Step | undefined {
  if (expr.accuVar !== '@result' || expr.init.kind !== 'list' || expr.init.elements.length > 0) return undefined
  const { predicate, add } = parts(expr.step)
  const list = add?.args[1]
  if (add?.name !== '_+_' || list?.kind !== 'list') return undefined
  const item = planner.plan(list.elements[0] as Expr)
  const test = predicate === undefined ? undefined : planner.plan(predicate).step
  const cost = item.constant === undefined ? 2 + LIST_COST : 2
  return frame => {
    const items: Value[] = []
    each(frame, range(frame), vars, () => {
      const wanted = test === undefined || test(frame)
      if (wanted === false) return true
      if (wanted !== true) return fail('no such overload')
      items.push(item.step(frame))
      frame.charge(cost)
      return true
    })
    frame.charge(1)
    return new ArrayList(items)
  }
}

function parts(step: Expr): { predicate: Expr | undefined; add: Call | undefined } {
  if (step.kind !== 'call') return { predicate: undefined, add: undefined }
  if (step.name !== '_?_:_') return { predicate: undefined, add: step }
  const then = step.args[1] as Expr
  return { predicate: step.args[0], add: then.kind === 'call' ? then : undefined }
}

const GO_NAMES: Readonly<Record<string, string>> = {
  bool: 'types.Bool',
  bytes: 'types.Bytes',
  double: 'types.Double',
  'google.protobuf.Duration': 'types.Duration',
  'google.protobuf.Timestamp': 'types.Timestamp',
  int: 'types.Int',
  null_type: 'types.Null',
  optional_type: '*types.Optional',
  string: 'types.String',
  type: '*types.Type',
  uint: 'types.Uint',
}

/** The name that the error about a value that is no range uses. */
const goName = (value: Value): string => GO_NAMES[typeName(value)] ?? typeName(value)
