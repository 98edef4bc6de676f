import type { Declarations, FunctionDecl, Overload } from '../declarations.ts'
import type { Issue } from '../errors.ts'
import type { Call, Comprehension, Expr, ListExpr, MapExpr, Select, StructExpr } from '../syntax/ast.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DYN,
  ERROR,
  formatType,
  INT,
  isDyn,
  listOf,
  mapOf,
  NULL,
  optionalElement,
  optionalOf,
  STRING,
  sameType,
  typeOfType,
  typeParam,
  UINT,
} from '../types.ts'
import { Uint, type Value } from '../values.ts'
import { assign, assignAll, type Bindings, mostGeneral, substitute } from './unify.ts'

/**
 * Finds the type of every node and the overloads of every call, and writes them into the tree.
 *
 * @returns what is wrong, in the order it was found; nothing when the expression is sound.
 */
export function check(expr: Expr, declarations: Declarations): readonly Issue[] {
  const checker = new Checker(declarations)
  checker.check(expr)
  checker.finish()
  return checker.issues
}

class Checker {
  readonly issues: Issue[] = []
  readonly #declarations: Declarations
  readonly #seen: Expr[] = []
  #scopes: Map<string, CelType>[] = []
  #bindings: Bindings = new Map()
  #variables = 0

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  /** Replaces type variables by what they were found to be. */
  finish(): void {
    for (const node of this.#seen) node.type = substitute(this.#bindings, node.type as CelType, true)
  }

  check(expr: Expr): CelType {
    if (expr.type !== undefined) return expr.type
    const type = this.#typeOf(expr)
    expr.type = type
    this.#seen.push(expr)
    return type
  }

  #typeOf(expr: Expr): CelType {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value)
      case 'ident':
        return this.#ident(expr)
      case 'select':
        return this.#select(expr)
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return this.#struct(expr)
      case 'comprehension':
        return this.#comprehension(expr)
    }
  }

  #issue(at: number, message: string): CelType {
    this.issues.push({ at, message })
    return ERROR
  }

  #undeclared(at: number, name: string): CelType {
    return this.#issue(at, `undeclared reference to '${name}' (in container '')`)
  }

  #mismatch(at: number, expected: CelType, found: CelType): CelType {
    return this.#issue(at, `expected type '${formatType(expected)}' but found '${formatType(found)}'`)
  }

  #lookup(name: string): CelType | undefined {
    const bare = name.startsWith('.') ? name.slice(1) : name
    for (let index = this.#scopes.length - 1; index >= 0; index--) {
      const local = this.#scopes[index]?.get(bare)
      if (local !== undefined) return local
    }
    const variable = this.#declarations.variables.get(bare)
    if (variable !== undefined) return variable
    const type = this.#declarations.types.get(bare)
    return type === undefined ? undefined : typeOfType(type)
  }

  #function(name: string): FunctionDecl | undefined {
    return this.#declarations.functions.get(name.startsWith('.') ? name.slice(1) : name)
  }

  #ident(expr: Extract<Expr, { kind: 'ident' }>): CelType {
    const type = this.#lookup(expr.name)
    if (type === undefined) return this.#undeclared(expr.at, expr.name)
    if (expr.name.startsWith('.')) expr.name = expr.name.slice(1)
    return type
  }

  #select(expr: Select): CelType {
    const qualified = expr.test ? undefined : qualifiedName(expr)
    const named = qualified === undefined ? undefined : this.#lookup(qualified)
    if (named !== undefined) {
      expr.qualified = (qualified as string).replace(/^\./, '')
      return named
    }
    const type = this.#field(expr.at, expr.operand, expr.field, false)
    return expr.test ? BOOL : substitute(this.#bindings, type, false)
  }

  #field(at: number, operand: Expr, field: string, optional: boolean): CelType {
    const operandType = substitute(this.#bindings, this.check(operand), false)
    const inner = optionalElement(operandType)
    const result = this.#fieldOf(at, inner ?? operandType, field)
    return inner !== undefined || optional ? optionalOf(result) : result
  }

  #fieldOf(at: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.params[1] as CelType
      case 'object':
        if (target.fields === undefined) return this.#issue(at, `unexpected failed resolution of '${target.name}'`)
        return target.fields(field) ?? this.#issue(at, `undefined field '${field}'`)
      case 'param':
        this.#assign(DYN, target)
        return DYN
      default:
        if (!isDyn(target) && target.kind !== 'error')
          this.#issue(at, `type '${formatType(target)}' does not support field selection`)
        return DYN
    }
  }

  #call(expr: Call): CelType {
    if (expr.name === '_?._') {
      const [operand, name] = expr.args as [Expr, Extract<Expr, { kind: 'literal' }>]
      expr.overloads = ['select_optional_field']
      return substitute(this.#bindings, this.#field(expr.at, operand, name.value as string, true), false)
    }
    for (const arg of expr.args) this.check(arg)
    this.#asNamespaced(expr)
    if (expr.target !== undefined) this.check(expr.target)
    const decl = this.#function(expr.name)
    if (decl === undefined) return this.#undeclared(expr.at, expr.name)
    if (expr.target === undefined) expr.name = decl.name
    return this.#resolve(expr, decl)
  }

  /** `a.b.c(x)` where `a.b.c` is the name of a function. */
  #asNamespaced(expr: Call): void {
    const prefix = expr.target === undefined ? undefined : qualifiedName(expr.target)
    if (prefix === undefined) return
    const decl = this.#function(`${prefix}.${expr.name}`)
    if (decl === undefined) return
    expr.name = decl.name
    expr.target = undefined
  }

  #resolve(expr: Call, decl: FunctionDecl): CelType {
    const args = expr.target === undefined ? expr.args : [expr.target, ...expr.args]
    if (decl.name === '_&&_' || decl.name === '_||_') return this.#logical(expr, decl, args)
    const types = args.map(arg => arg.type as CelType)
    const member = expr.target !== undefined
    const found: string[] = []
    let result: CelType | undefined
    for (const candidate of decl.overloads) {
      const type = candidate.member === member ? this.#fits(candidate, types) : undefined
      if (type === undefined) continue
      found.push(candidate.id)
      if (result === undefined) result = type
      else if (!isDyn(result) && !sameType(type, result)) result = DYN
    }
    if (result === undefined) return this.#noOverload(expr, decl.name, types, member)
    expr.overloads = found
    return result
  }

  #logical(expr: Call, decl: FunctionDecl, args: readonly Expr[]): CelType {
    let sound = true
    for (const arg of args) {
      if (this.#assign(arg.type as CelType, BOOL)) continue
      this.#mismatch(arg.at, BOOL, arg.type as CelType)
      sound = false
    }
    if (!sound) return ERROR
    expr.overloads = [(decl.overloads[0] as Overload).id]
    return BOOL
  }

  /** The result type when the arguments fit; type variables of the overload are made new for every call. */
  #fits(candidate: Overload, types: readonly CelType[]): CelType | undefined {
    const fresh = new Map<string, CelType>()
    for (const type of [...candidate.args, candidate.result]) this.#freshen(type, fresh)
    const wanted = candidate.args.map(arg => substitute(fresh, arg, false))
    const bindings = assignAll(this.#bindings, types, wanted)
    if (bindings === undefined) return undefined
    this.#bindings = bindings
    return substitute(bindings, substitute(fresh, candidate.result, false), false)
  }

  #freshen(type: CelType, fresh: Map<string, CelType>): void {
    if (type.kind === 'param' && !fresh.has(type.name)) fresh.set(type.name, this.#newVariable())
    for (const param of type.params) this.#freshen(param, fresh)
  }

  #newVariable(): CelType {
    return typeParam(`_var${this.#variables++}`)
  }

  #noOverload(expr: Call, name: string, types: readonly CelType[], member: boolean): CelType {
    const shown = types.map(type => formatType(substitute(this.#bindings, type, true)))
    const signature = member ? `${shown[0]}.(${shown.slice(1).join(', ')})` : `(${shown.join(', ')})`
    return this.#issue(expr.at, `found no matching overload for '${name}' applied to '${signature}'`)
  }

  #assign(to: CelType, from: CelType): boolean {
    const bindings = assign(this.#bindings, to, from)
    if (bindings === undefined) return false
    this.#bindings = bindings
    return true
  }

  #list(expr: ListExpr): CelType {
    let element: CelType | undefined
    expr.elements.forEach((item, index) => {
      const type = this.#unwrapped(item, expr.optional[index] === true)
      element = this.#join(element, type)
    })
    return listOf(element ?? this.#newVariable())
  }

  /** The type of an element; of `?x` the type inside the optional. */
  #unwrapped(item: Expr, optional: boolean): CelType {
    const type = this.check(item)
    if (!optional) return type
    const inner = optionalElement(type)
    if (inner === undefined && !isDyn(type)) this.#mismatch(item.at, optionalOf(type), type)
    return inner ?? type
  }

  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current
    if (this.#assign(previous, current)) return mostGeneral(previous, current)
    return DYN
  }

  #map(expr: MapExpr): CelType {
    let key: CelType | undefined
    let value: CelType | undefined
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key))
      value = this.#join(value, this.#unwrapped(entry.value, entry.optional))
    }
    return mapOf(key ?? this.#newVariable(), value ?? this.#newVariable())
  }

  #struct(expr: StructExpr): CelType {
    const type = this.#structType(expr)
    for (const init of expr.fields) {
      const given = this.#unwrapped(init.value, init.optional)
      if (type.kind === 'error') continue
      const declared = type.fields?.(init.field) ?? this.#issue(init.at, `undefined field '${init.field}'`)
      if (this.#assign(declared, given)) continue
      const [want, got] = [formatType(declared), formatType(given)]
      this.#issue(init.at, `expected type of field '${init.field}' is '${want}' but provided type is '${got}'`)
    }
    return type
  }

  #structType(expr: StructExpr): CelType {
    const named = this.#lookup(expr.name)
    if (named === undefined) return this.#undeclared(expr.at, expr.name)
    expr.name = expr.name.replace(/^\./, '')
    if (named.kind !== 'type') return this.#issue(expr.at, `'${named.name}' is not a type`)
    const type = named.params[0] as CelType
    return type.kind === 'object' ? type : this.#issue(expr.at, `'${type.name}' is not a message type`)
  }

  #comprehension(expr: Comprehension): CelType {
    const range = substitute(this.#bindings, this.check(expr.range), false)
    const accu = this.check(expr.init)
    const [first, second] = this.#rangeTypes(expr, range)
    this.#scopes.push(new Map([[expr.accuVar, accu]]))
    const locals = new Map([[expr.iterVar, first]])
    if (expr.iterVar2 !== undefined) locals.set(expr.iterVar2, second)
    this.#scopes.push(locals)
    this.#expect(expr.condition, BOOL)
    this.#expect(expr.step, accu)
    this.#scopes.pop()
    const result = this.check(expr.result)
    this.#scopes.pop()
    return substitute(this.#bindings, result, false)
  }

  #expect(expr: Expr, type: CelType): void {
    const found = this.check(expr)
    if (!this.#assign(type, found)) this.#mismatch(expr.at, type, found)
  }

  /** The types of the two loop variables; with one variable a list gives its elements. */
  #rangeTypes(expr: Comprehension, range: CelType): [CelType, CelType] {
    switch (range.kind) {
      case 'list':
        return expr.iterVar2 === undefined ? [range.params[0] as CelType, DYN] : [INT, range.params[0] as CelType]
      case 'map':
        return [range.params[0] as CelType, range.params[1] as CelType]
      case 'dyn':
      case 'any':
      case 'error':
      case 'param':
        this.#assign(DYN, range)
        return [DYN, DYN]
      default: {
        const shown = formatType(range)
        const message = `expression of type '${shown}' cannot be range of a comprehension (must be list, map, or dynamic)`
        this.#issue(expr.range.at, message)
        return [ERROR, ERROR]
      }
    }
  }
}

function literalType(value: Value): CelType {
  switch (typeof value) {
    case 'boolean':
      return BOOL
    case 'bigint':
      return INT
    case 'number':
      return DOUBLE
    case 'string':
      return STRING
    default:
      if (value === null) return NULL
      return value instanceof Uint ? UINT : BYTES
  }
}

/** `a.b.c` when the expression is a chain of names. */
function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name
  if (expr.kind !== 'select' || expr.test) return undefined
  const prefix = qualifiedName(expr.operand)
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`
}
