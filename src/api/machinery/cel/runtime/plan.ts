import type { Declarations, FunctionDecl } from '../declarations.ts'
import { CelError, fail } from '../errors.ts'
import { regexProblem } from '../library/regex-engine.ts'
import type { Call, Comprehension, Expr, ListExpr, MapExpr, StructExpr } from '../syntax/ast.ts'
import type { CelType } from '../types.ts'
import {
  ArrayList,
  type CelList,
  EntryMap,
  equal,
  mapKey,
  Optional,
  TypeValue,
  typeName,
  type Value,
} from '../values.ts'
import { type Qualifier, qualified } from './attribute.ts'
import { type CallCost, callCost, LIST_COST, MAP_COST, STRUCT_COST } from './cost.ts'
import { type Implementation, implementation } from './dispatch.ts'
import type { Frame, Step } from './frame.ts'
import { and, conditional, not, notStrictlyFalse, or } from './logic.ts'
import { planLoop } from './loop.ts'

/** An expression made ready to run. */
export interface Plan {
  readonly step: Step
  /** How many loop variables it needs. */
  readonly locals: number
}

/**
 * How a part of an expression runs. What Kubernetes counts as the cost of a part depends on whether it is an
 * attribute (a variable or what is selected from something): reading one costs 1, and 1 for each selection; a
 * condition passes through the costs of its branches only.
 */
export interface Planned {
  readonly step: Step
  /** For attributes: the step without the 1 for reading it. */
  readonly bare?: Step
  /** Known without running anything. */
  readonly constant?: { readonly value: Value }
}

/** Where a loop keeps a variable. One with `late` is computed when it is first read. */
interface Local {
  readonly index: number
  readonly late: Step | undefined
}

const CONVERSIONS = new Set('bool bytes double duration dyn int string timestamp type uint'.split(' '))

/**
 * Plans a checked expression.
 *
 * @throws CelError when a constant part of it cannot be computed, for instance `int('x')`.
 */
export function plan(expr: Expr, declarations: Declarations): Plan {
  const planner = new Planner(declarations)
  const { step } = planner.plan(expr)
  return { step, locals: planner.locals }
}

export class Planner {
  locals = 0
  readonly #declarations: Declarations
  readonly #done = new Map<Expr, Planned>()
  #scope: ReadonlyMap<string, Local> = new Map()

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  plan(expr: Expr): Planned {
    const known = this.#done.get(expr)
    if (known !== undefined) return known
    const planned = this.#plan(expr)
    this.#done.set(expr, planned)
    return planned
  }

  /** Plans with more variables in sight; they get indexes of their own. */
  inScope<T>(names: readonly string[], run: (indexes: readonly number[]) => T, late?: Step): T {
    const outer = this.#scope
    const locals = names.map(() => ({ index: this.locals++, late }))
    const indexes = locals.map(({ index }) => index)
    this.#scope = new Map([...outer, ...names.map((name, at) => [name, locals[at] as Local] as const)])
    const result = run(indexes)
    this.#scope = outer
    return result
  }

  #plan(expr: Expr): Planned {
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value)
      case 'ident':
        return this.#ident(expr.name, expr.type as CelType)
      case 'select':
        if (expr.qualified !== undefined) return this.#ident(expr.qualified, expr.type as CelType)
        return qualified(this.plan(expr.operand), { key: expr.field, field: true, test: expr.test })
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return this.#struct(expr)
      case 'comprehension':
        return { step: planLoop(this, expr as Comprehension) }
    }
  }

  #ident(name: string, type: CelType): Planned {
    const local = this.#scope.get(name)
    if (local !== undefined) return attribute(local.late === undefined ? read(local.index) : bound(local))
    const variable = this.#declarations.variables.has(name)
    if (!variable && type.kind === 'type') return constant(new TypeValue(this.#declarations.types.get(name) ?? type))
    return attribute(frame => {
      const value = frame.variables[name]
      return value === undefined ? missing(frame, name) : value
    })
  }

  #call(expr: Call): Planned {
    const args = (expr.target === undefined ? expr.args : [expr.target, ...expr.args]).map(arg => this.plan(arg))
    const [a, b, c] = args as [Planned, Planned, Planned]
    switch (expr.name) {
      case '_&&_':
        return { step: and(a.step, b.step) }
      case '_||_':
        return { step: or(a.step, b.step) }
      case '_?_:_':
        return conditional(a.step, b, c)
      case '_[_]':
        return qualified(a, index(b, false))
      case '_[?_]':
        return qualified(a, index(b, true))
      case '_?._':
        return qualified(a, { key: b.constant?.value as string, field: true, optional: true })
      case '_==_':
        return { step: equality(a.step, b.step, true) }
      case '_!=_':
        return { step: equality(a.step, b.step, false) }
      case '!_':
        return { step: not(a.step) }
      case '@not_strictly_false':
        return { step: notStrictlyFalse(a.step) }
      case 'or':
      case 'orValue':
        return { step: orElse(a.step, b.step, expr.name) }
      default:
        return this.#functionCall(expr, args)
    }
  }

  #functionCall(expr: Call, args: readonly Planned[]): Planned {
    const decl = this.#declarations.functions.get(expr.name) as FunctionDecl
    const run = implementation(decl, expr.overloads)
    if (CONVERSIONS.has(expr.name) && args.length === 1 && args[0]?.constant !== undefined)
      return constant(run(args[0].constant.value))
    checkConstantPattern(expr, args)
    const membership = constantMembership(expr, args)
    if (membership !== undefined) return membership
    const own = decl.overloads.find(overload => overload.id === expr.overloads?.[0])?.cost
    const cost = callCost(expr.name, expr.overloads, own)
    const steps = args.map(arg => arg.step)
    return { step: callStep(steps, run, cost) }
  }

  #list(expr: ListExpr): Planned {
    const planned = expr.elements.map(element => this.plan(element))
    const steps = planned.map(element => element.step)
    const optional = expr.optional.includes(true) ? expr.optional : undefined
    const step: Step = frame => {
      frame.charge(LIST_COST)
      const items: Value[] = []
      for (let at = 0; at < steps.length; at++) {
        const item = (steps[at] as Step)(frame)
        if (optional?.[at] === true) addOptional(item, value => items.push(value))
        else items.push(item)
      }
      return new ArrayList(items)
    }
    if (optional === undefined && planned.every(element => element.constant !== undefined))
      return constant(new ArrayList(planned.map(element => element.constant?.value as Value)))
    return { step }
  }

  #map(expr: MapExpr): Planned {
    const entries = expr.entries.map(entry => ({
      key: this.plan(entry.key),
      value: this.plan(entry.value),
      optional: entry.optional,
    }))
    const fixed = entries.every(entry => entry.key.constant && entry.value.constant && !entry.optional)
    const build = (frame: Frame): EntryMap => {
      const map = new Map<unknown, readonly [Value, Value]>()
      for (const entry of entries) {
        const key = entry.key.step(frame)
        const value = entry.value.step(frame)
        const file = mapKey(key)
        if (file === undefined) fail(`unsupported key type: ${typeName(key)}`)
        if (entry.optional) addOptional(value, inner => map.set(file, [key, inner]))
        else map.set(file, [key, value])
      }
      return new EntryMap(map)
    }
    if (fixed)
      return constant(EntryMap.of(entries.map(({ key, value }) => [constantOf(key), constantOf(value)] as const)))
    return {
      step: frame => {
        frame.charge(MAP_COST)
        return build(frame)
      },
    }
  }

  #struct(expr: StructExpr): Planned {
    const fields = expr.fields.map(init => ({ init, step: this.plan(init.value).step }))
    const type = this.#declarations.types.get(expr.name) as CelType
    return {
      step: frame => {
        frame.charge(STRUCT_COST)
        const entries = new Map<unknown, readonly [Value, Value]>()
        for (const { init, step } of fields) {
          const value = step(frame)
          if (init.optional) addOptional(value, inner => entries.set(init.field, [init.field, inner]))
          else entries.set(init.field, [init.field, value])
        }
        return new StructMap(entries, type)
      },
    }
  }
}

/** An object that an expression has made: `Object{…}`. */
export class StructMap extends EntryMap {
  readonly type: CelType
  constructor(entries: Map<unknown, readonly [Value, Value]>, type: CelType) {
    super(entries)
    this.type = type
  }
}

const read =
  (index: number): Step =>
  frame =>
    frame.locals[index] as Value

const bound =
  ({ index, late }: Local): Step =>
  frame => {
    let value = frame.locals[index]
    if (value === undefined) {
      value = (late as Step)(frame)
      frame.locals[index] = value
    }
    return value
  }

const constant = (value: Value): Planned => ({ step: () => value, constant: { value } })
const constantOf = (planned: Planned): Value => planned.constant?.value as Value

function attribute(bare: Step): Planned {
  return {
    bare,
    step: frame => {
      const value = bare(frame)
      frame.charge(1)
      return value
    },
  }
}

function missing(frame: Frame, name: string): Value {
  frame.charge(1)
  return fail(`no such attribute(s): ${name}`)
}

function index(key: Planned, optional: boolean): Qualifier {
  if (key.constant !== undefined) return { key: key.constant.value, optional }
  const { step, bare } = key
  if (bare !== undefined) return { step, optional }
  return {
    optional,
    step: frame => {
      const value = step(frame)
      frame.charge(1)
      return value
    },
  }
}

function equality(left: Step, right: Step, wanted: boolean): Step {
  const cost = wanted ? callCost('_==_', ['equals'], undefined) : callCost('_!=_', ['not_equals'], undefined)
  return binaryStep(left, right, (a, b) => equal(a as Value, b as Value) === wanted, cost)
}

/** A call: its arguments, the function, the charge. A call that fails is charged too. */
function callStep(steps: readonly Step[], run: Implementation, cost: CallCost): Step {
  const [first, second] = steps as [Step, Step]
  if (steps.length === 1) return unaryStep(first, run, cost)
  if (steps.length === 2) return binaryStep(first, second, run, cost)
  return frame => {
    const args = steps.map(step => step(frame))
    if (isForeseen(cost)) frame.affords(cost(args, null))
    return finished(
      frame,
      cost,
      args,
      attempt(frame, cost, args, () => run(...args)),
    )
  }
}

/** Whether a cost depends on the arguments only: then it is known before the call, which need not run if it is too much. */
const isForeseen = (cost: CallCost) => cost.length < 2

function unaryStep(first: Step, run: Implementation, cost: CallCost): Step {
  const foreseen = isForeseen(cost)
  return frame => {
    let a: Value = null
    let result: Value
    let price = 0
    try {
      a = first(frame)
      if (foreseen) price = frame.affords(cost([a], null))
      result = run(a)
    } catch (error) {
      throw failed(frame, error, cost, [a])
    }
    frame.charge(foreseen ? price : cost([a], result))
    return result
  }
}

function binaryStep(first: Step, second: Step, run: Implementation, cost: CallCost): Step {
  const foreseen = isForeseen(cost)
  return frame => {
    let a: Value | undefined
    let b: Value | undefined
    let result: Value
    let price = 0
    try {
      a = first(frame)
      b = second(frame)
      if (foreseen) price = frame.affords(cost([a, b], null))
      result = run(a, b)
    } catch (error) {
      if (a === undefined) b = quietly(second, frame)
      throw failed(frame, error, cost, [a ?? null, b ?? null])
    }
    frame.charge(foreseen ? price : cost([a, b], result))
    return result
  }
}

function attempt(frame: Frame, cost: CallCost, args: readonly Value[], run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    throw failed(frame, error, cost, args)
  }
}

function finished(frame: Frame, cost: CallCost, args: readonly Value[], result: Value): Value {
  frame.charge(cost(args, result))
  return result
}

/** Charges a call that failed, and hands the error back. */
function failed(frame: Frame, error: unknown, cost: CallCost, args: readonly Value[]): unknown {
  if (error instanceof CelError) frame.charge(cost(args, null))
  return error
}

/** Runs the right side of an operator whose left side failed: it is charged, its result does not matter. */
function quietly(step: Step, frame: Frame): Value | undefined {
  try {
    return step(frame)
  } catch (error) {
    if (error instanceof CelError) return undefined
    throw error
  }
}

/** `x.or(y)` and `x.orValue(y)`: the right side runs only when the left one is empty. */
function orElse(left: Step, right: Step, name: string): Step {
  return frame => {
    const value = left(frame)
    if (!(value instanceof Optional)) return fail(`no such overload: ${typeName(value)}.${name}()`)
    if (value.value !== undefined) return name === 'or' ? value : value.value
    const other = right(frame)
    if (name === 'or' && !(other instanceof Optional))
      return fail(`no such overload: optional_type.or(${typeName(other)})`)
    return other
  }
}

function addOptional(value: Value, add: (inner: Value) => void): void {
  if (!(value instanceof Optional))
    throw new CelError('cannot initialize optional list element from non-optional value')
  if (value.value !== undefined) add(value.value)
}

const WITH_PATTERN = new Set(['find', 'findAll', 'matches'])

/** A pattern that is known is looked at now: a bad one makes the expression unusable. */
function checkConstantPattern(expr: Call, args: readonly Planned[]): void {
  const pattern = WITH_PATTERN.has(expr.name) ? args[1]?.constant?.value : undefined
  const problem = typeof pattern === 'string' ? regexProblem(pattern) : undefined
  if (problem !== undefined) throw new CelError(problem)
}

/** `x in [1, 2]`: a lookup, which costs nothing but x. */
function constantMembership(expr: Call, args: readonly Planned[]): Planned | undefined {
  const list = args[1]?.constant?.value
  if (expr.name !== '@in' || expr.overloads?.length !== 1 || expr.overloads[0] !== 'in_list' || list === undefined)
    return undefined
  const items = [...(list as CelList)]
  if (items.length === 0) return constant(false)
  const keys = new Set<unknown>()
  for (const item of items) {
    if (item === null) keys.add(null)
    else if (mapKey(item) === undefined) return undefined
    else keys.add(mapKey(item))
  }
  const { step } = args[0] as Planned
  return {
    step: frame => {
      const value = step(frame)
      return value === null ? keys.has(null) : keys.has(mapKey(value) ?? value)
    },
  }
}
