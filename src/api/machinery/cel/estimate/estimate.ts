import type { Call, Comprehension, Expr } from '../syntax/ast.ts'
import { type CelType, optionalElement } from '../types.ts'
import { stringSize, Uint } from '../values.ts'
import { type CallEstimate, estimateCall, type Operand } from './call-estimates.ts'
import { either, exactly, plus, type Range, times, UNBOUNDED, UNKNOWN, ZERO } from './range.ts'

/**
 * What an expression may cost at least and at most, before there is any data: sizes come from the schema. Kubernetes
 * refuses rules by this number, so it is counted as there, odd places included.
 *
 * @param root the type of the variables `self` and `oldSelf`, with the limits of the schema; sizes are unknown without
 */
export function estimateCost(expr: Expr, root?: CelType): Range {
  return new Estimator(root).cost(expr)
}

/** How many values of a type a request can carry, when each takes at least so many bytes. */
export const maxCardinality = (minSize: number): number => Math.floor((3 * 1024 * 1024) / (minSize + 1))

/** The way from the root to a value: the variable, then fields, `@items`, `@values`, `@keys`. */
type Path = readonly string[]

/** Sizes of what is inside a container. */
interface EntrySize {
  readonly container: 'list' | 'map'
  readonly key: Range
  readonly value: Range
}

interface Local {
  readonly path: Path
  readonly size: Range | undefined
  readonly entries: EntrySize | undefined
}

class Estimator {
  readonly #root: CelType | undefined
  readonly #paths = new Map<Expr, Path>()
  readonly #sizes = new Map<Expr, Range>()
  readonly #entries = new Map<Expr, EntrySize>()
  readonly #costs = new Map<Expr, Range>()
  readonly #locals = new Map<string, Local[]>()

  constructor(root: CelType | undefined) {
    this.#root = root
  }

  /** Nodes that macros use twice are looked at once. */
  cost(expr: Expr): Range {
    const known = this.#costs.get(expr)
    if (known !== undefined) return known
    const cost = this.#cost(expr)
    this.#costs.set(expr, cost)
    return cost
  }

  #cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return ZERO
      case 'ident':
        this.#paths.set(expr, this.#local(expr.name)?.path ?? [expr.name])
        return exactly(1)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return expr.fields.reduce((sum, field) => plus(sum, this.cost(field.value)), exactly(40))
      case 'comprehension':
        return isBind(expr) ? this.#bind(expr) : this.#loop(expr)
    }
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #push(name: string, local: Local): void {
    this.#locals.set(name, [...(this.#locals.get(name) ?? []), local])
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop()
  }

  #pathOf(expr: Expr): Path {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined
    return local?.path ?? this.#paths.get(expr) ?? []
  }

  #select(expr: Extract<Expr, { kind: 'select' }>): Range {
    if (expr.qualified !== undefined) {
      this.#paths.set(expr, [expr.qualified])
      return exactly(1)
    }
    const operand = this.cost(expr.operand)
    if (expr.test) return operand
    this.#paths.set(expr, [...this.#pathOf(expr.operand), expr.field])
    const kind = (expr.operand.type as CelType).kind
    return kind === 'map' || kind === 'object' || kind === 'param' ? plus(operand, exactly(1)) : operand
  }

  #list(expr: Extract<Expr, { kind: 'list' }>): Range {
    let sum = exactly(10)
    let value: Range = { min: expr.elements.length === 0 ? 0 : UNBOUNDED, max: 0 }
    for (const element of expr.elements) {
      sum = plus(sum, this.cost(element))
      value = either(value, this.#sizeOf(element) ?? UNKNOWN)
    }
    this.#entries.set(expr, { container: 'list', key: exactly(1), value })
    return sum
  }

  #map(expr: Extract<Expr, { kind: 'map' }>): Range {
    let sum = exactly(30)
    const least = expr.entries.length === 0 ? 0 : UNBOUNDED
    let key: Range = { min: least, max: 0 }
    let value: Range = { min: least, max: 0 }
    for (const entry of expr.entries) {
      sum = plus(plus(sum, this.cost(entry.key)), this.cost(entry.value))
      key = either(key, this.#sizeOf(entry.key) ?? UNKNOWN)
      value = either(value, this.#sizeOf(entry.value) ?? UNKNOWN)
    }
    this.#entries.set(expr, { container: 'map', key, value })
    return sum
  }

  #call(expr: Call): Range {
    if (expr.name === 'dyn') return this.#dyn(expr)
    const costs = expr.args.map(arg => this.cost(arg))
    const args = expr.args.map(arg => this.#operand(arg))
    const ids = expr.overloads ?? []
    if (ids.length === 0) return ZERO
    const before = expr.target === undefined ? ZERO : this.cost(expr.target)
    const target = expr.target === undefined ? undefined : this.#operand(expr.target)
    let cost: Range = { min: UNBOUNDED, max: 0 }
    let size: Range | undefined
    for (const id of ids) {
      const estimate = this.#overload(expr, id, target, args, costs)
      cost = either(cost, estimate.cost)
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : either(size, estimate.size)
      size = this.#indexed(expr, id, size) ?? this.#sizeOf(expr)
    }
    if (size !== undefined) this.#sizes.set(expr, size)
    return plus(before, cost)
  }

  /** Indexing leads into the container. */
  #indexed(expr: Call, id: string, size: Range | undefined): Range | undefined {
    if (id !== 'index_list' && id !== 'index_map') return size
    const container = expr.args[0] as Expr
    this.#paths.set(expr, [...this.#pathOf(container), id === 'index_list' ? '@items' : '@values'])
    return this.#entriesOf(container)?.value
  }

  #dyn(expr: Call): Range {
    const arg = expr.args[0] as Expr
    const cost = plus(exactly(1), this.cost(arg))
    this.#copySizes(expr, arg)
    return cost
  }

  #overload(
    expr: Call,
    id: string,
    target: Operand | undefined,
    args: readonly Operand[],
    costs: readonly Range[],
  ): CallEstimate {
    const [first, second, third] = costs as [Range, Range, Range]
    if (id === 'logical_and' || id === 'logical_or') return { cost: { min: first.min, max: plus(first, second).max } }
    if (id === 'conditional') {
      this.#joinEntries(expr, args)
      const [, yes, no] = args as [Operand, Operand, Operand]
      return { cost: plus(first, either(second, third)), size: either(yes.size, no.size) }
    }
    if (id.startsWith('add_')) this.#joinEntries(expr, args)
    const own = estimateCall(expr.name, id, target, args)
    return { ...own, cost: costs.reduce(plus, own.cost) }
  }

  #joinEntries(expr: Call, args: readonly Operand[]): void {
    const [left, right] = args.slice(-2).map(arg => this.#entriesOf(arg.expr))
    if (left === undefined || right === undefined) return
    const key = either(left.key, right.key)
    this.#entries.set(expr, { container: left.container, key, value: either(left.value, right.value) })
  }

  #bind(expr: Comprehension): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.init))
    this.#push(expr.accuVar, this.#asLocal(expr.init))
    const cost = plus(before, this.cost(expr.result))
    this.#copySizes(expr, expr.result)
    this.#pop(expr.accuVar)
    return cost
  }

  #asLocal(expr: Expr): Local {
    return { path: this.#pathOf(expr), size: this.#sizeOf(expr), entries: this.#entriesOf(expr) }
  }

  #loop(expr: Comprehension): Range {
    const before = plus(this.cost(expr.range), this.cost(expr.init))
    this.#push(expr.accuVar, this.#asLocal(expr.init))
    const inside = this.#loopVariables(expr)
    for (const [name, local] of inside) this.#push(name, local)
    const each = plus(this.cost(expr.condition), this.cost(expr.step))
    for (const [name] of inside) this.#pop(name)
    const sum = plus(before, this.cost(expr.result))
    this.#pop(expr.accuVar)
    const count = this.#sizeOf(expr.range) ?? UNKNOWN
    this.#loopSize(expr, count)
    return plus(sum, times(count, each))
  }

  #loopSize(expr: Comprehension, count: Range): void {
    if (expr.init.kind === 'literal') {
      const size = this.#sizeOf(expr.init)
      if (size !== undefined) this.#sizes.set(expr, size)
    }
    if (expr.init.kind !== 'list' && expr.init.kind !== 'map') return
    this.#sizes.set(expr, count)
    const entries = this.#entriesOf(expr.step)
    if (entries !== undefined) this.#entries.set(expr, entries)
  }

  #loopVariables(expr: Comprehension): [string, Local][] {
    const entries = this.#entriesOf(expr.range)
    const path = this.#pathOf(expr.range)
    const list = (entries?.container ?? (expr.range.type as CelType).kind) === 'list'
    const local = (step: string, size: Range | undefined): Local => ({
      path: [...path, step],
      size,
      entries: undefined,
    })
    if (expr.iterVar2 === undefined)
      return [[expr.iterVar, list ? local('@items', entries?.value) : local('@keys', entries?.key)]]
    return [
      [expr.iterVar, local(list ? '@indices' : '@keys', entries?.key)],
      [expr.iterVar2, local(list ? '@items' : '@values', entries?.value)],
    ]
  }

  #operand(expr: Expr): Operand {
    const path = this.#pathOf(expr)
    const known = path[0] === '@result' ? [] : path
    const elementSize = known.length > 0 ? this.#schemaSize([...known, '@items']) : undefined
    return { expr, type: expr.type as CelType, size: this.#sizeOf(expr) ?? UNKNOWN, elementSize }
  }

  #copySizes(to: Expr, from: Expr): void {
    const size = this.#sizeOf(from)
    if (size !== undefined) this.#sizes.set(to, size)
    const entries = this.#entriesOf(from)
    if (entries !== undefined) this.#entries.set(to, entries)
  }

  #entriesOf(expr: Expr): EntrySize | undefined {
    return this.#entries.get(expr) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined)
  }

  #sizeOf(expr: Expr): Range | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr)
    if (known !== undefined) return known
    const declared = this.#schemaSize(this.#pathOf(expr))
    if (declared !== undefined) {
      this.#sizes.set(expr, declared)
      return declared
    }
    if (isScalar(expr.type as CelType)) return exactly(1)
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined
  }

  /** What the schema says about the value at the end of a path. */
  #schemaSize(path: Path): Range | undefined {
    if (this.#root === undefined || path.length === 0) return undefined
    let type: CelType | undefined = this.#root
    for (const step of path.slice(1)) {
      type = stepInto(type as CelType, step)
      if (type === undefined) return undefined
    }
    return { min: 0, max: type?.bounds?.max ?? 0 }
  }
}

function stepInto(type: CelType, step: string): CelType | undefined {
  if (step === '@items' || step === '@values') return type.kind === 'map' ? type.params[1] : listElement(type)
  if (step === '@keys') return type.kind === 'map' ? type.params[0] : undefined
  return type.fields?.(step)
}

const listElement = (type: CelType): CelType | undefined => (type.kind === 'list' ? type.params[0] : undefined)

function isBind(expr: Comprehension): boolean {
  return (
    expr.range.kind === 'list' &&
    expr.range.elements.length === 0 &&
    expr.condition.kind === 'literal' &&
    expr.condition.value === false
  )
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'list') return exactly(expr.elements.length)
  if (expr.kind === 'map') return exactly(expr.entries.length)
  if (expr.kind !== 'literal') return undefined
  const { value } = expr
  if (typeof value === 'string') return exactly(stringSize(value))
  if (value instanceof Uint8Array) return exactly(value.length)
  return value === null || typeof value !== 'object' || value instanceof Uint ? exactly(1) : undefined
}

const SCALARS = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

function isScalar(type: CelType): boolean {
  const inner = optionalElement(type)
  return inner === undefined ? SCALARS.has(type.kind) : isScalar(inner)
}
