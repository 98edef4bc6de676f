import type { Issue } from '../errors.ts'
import { Uint, type Value } from '../values.ts'
import type { Call, Expr, FieldInit, Literal, MapEntry } from './ast.ts'
import { expandMacro } from './macros.ts'
import { missingSign, notAnOperand, notTheSign, type OperandPlace, startsOperand } from './syntax-errors.ts'
import { type Token, tokenize } from './tokens.ts'

/** How long an expression may be, in code points. */
const MAX_SIZE = 100_000
/** How deep the same rule of the grammar may nest. */
const MAX_DEPTH = 250

const RELATIONS = new Set(['<', '<=', '>=', '>', '==', '!=', 'in'])
const LITERALS = new Set(['int', 'uint', 'float', 'string', 'bytes', 'true', 'false', 'null'])
const CLOSING = new Set([')', ']'])
const RESERVED = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
)
const PRECEDENCE: readonly (readonly string[])[] = [
  ['+', '-'],
  ['*', '/', '%'],
]

/** Ends parsing; what is wrong has been reported. */
class Stop {}

/**
 * Parses an expression; macros are expanded. Depth and length are limited, so hostile input costs little.
 *
 * @returns the expression, or what is wrong with it.
 */
export function parse(source: string): { expr: Expr } | { issues: readonly Issue[] } {
  if (source.length > MAX_SIZE) {
    const size = [...source].length
    if (size > MAX_SIZE) {
      const message = `expression code point size exceeds limit: size: ${size}, limit ${MAX_SIZE}`
      return { issues: [{ at: -1, message }] }
    }
  }
  const issues: Issue[] = []
  const parser = new Parser(tokenize(source, issues), issues)
  let expr: Expr | undefined
  try {
    expr = parser.start()
  } catch (error) {
    if (!(error instanceof Stop)) throw error
  }
  return expr === undefined || issues.length > 0 ? { issues } : { expr }
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #issues: Issue[]
  readonly #depth = new Map<string, number>()
  #next = 0
  /** Where the next operand stands, for errors about it. */
  #place: OperandPlace = 'operand'

  constructor(tokens: readonly Token[], issues: Issue[]) {
    this.#tokens = tokens
    this.#issues = issues
  }

  start(): Expr {
    const expr = this.#expr()
    const token = this.#peek()
    if (token.kind !== 'eof') this.#stop(token, notTheSign(token, '<EOF>', this.#peek(1).kind === 'eof'))
    return expr
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.max(0, Math.min(this.#next + ahead, this.#tokens.length - 1))] as Token
  }

  #take(kind: string): Token | undefined {
    const token = this.#peek()
    if (token.kind !== kind) return undefined
    this.#next++
    return token
  }

  /** Takes a token that must be there. One too many before it, or it left out at the end, is reported and passed. */
  #want(kind: string, expected: string): Token {
    const found = this.#take(kind)
    if (found !== undefined) return found
    const token = this.#peek()
    if (this.#peek(1).kind === kind) {
      this.#report(token.at, notTheSign(token, expected, true))
      this.#next += 2
      return this.#peek(-1)
    }
    if (token.kind === 'eof' && CLOSING.has(kind) && expected === `'${kind}'` && this.#depth.get('expr') === 1) {
      this.#report(token.at, missingSign(kind, token))
      return token
    }
    return this.#stop(token, notTheSign(token, expected, false))
  }

  #stop(token: Token, message: string): never {
    this.#issues.push({ at: token.at, message })
    throw new Stop()
  }

  #report(at: number, message: string): Literal {
    this.#issues.push({ at, message })
    return { kind: 'literal', at, value: null }
  }

  /** Runs a rule one level deeper. */
  #nested<T>(rule: string, run: () => T): T {
    this.#enter(rule)
    const result = run()
    this.#leave(rule, 1)
    return result
  }

  #enter(rule: string): void {
    const depth = (this.#depth.get(rule) ?? 0) + 1
    this.#depth.set(rule, depth)
    if (depth <= MAX_DEPTH) return
    this.#issues.push({ at: -1, message: `expression recursion limit exceeded: ${MAX_DEPTH}` })
    throw new Stop()
  }

  #leave(rule: string, levels: number): void {
    this.#depth.set(rule, (this.#depth.get(rule) ?? 0) - levels)
  }

  #expr(place: OperandPlace = 'operand'): Expr {
    this.#place = place
    return this.#nested('expr', () => {
      const condition = this.#logical('||')
      const question = this.#take('?')
      if (!question) return condition
      const then = this.#logical('||')
      this.#want(':', "':'")
      const otherwise = this.#expr()
      return call(question.at, '_?_:_', condition, then, otherwise)
    })
  }

  /** `a || b || c`, `a && b && c`: a balanced tree, so that long chains are not deep. */
  #logical(operator: '||' | '&&'): Expr {
    const operand = () => (operator === '||' ? this.#logical('&&') : this.#relation())
    const terms = [operand()]
    const operators: Token[] = []
    for (let token = this.#take(operator); token; token = this.#take(operator)) {
      operators.push(token)
      terms.push(operand())
    }
    return balance(`_${operator}_`, terms, operators, 0, operators.length - 1)
  }

  #relation(): Expr {
    this.#enter('relation')
    let levels = 1
    let left = this.#calc(0)
    while (RELATIONS.has(this.#peek().kind)) {
      const operator = this.#peek()
      this.#next++
      this.#enter('relation')
      levels++
      left = call(operator.at, operator.kind === 'in' ? '@in' : `_${operator.kind}_`, left, this.#calc(0))
    }
    this.#leave('relation', levels)
    return left
  }

  #calc(precedence: number): Expr {
    const operators = PRECEDENCE[precedence]
    if (operators === undefined) return this.#unary()
    this.#enter(`calc${precedence}`)
    let levels = 1
    let left = this.#calc(precedence + 1)
    while (operators.includes(this.#peek().kind)) {
      const operator = this.#peek()
      this.#next++
      this.#enter(`calc${precedence}`)
      levels++
      left = call(operator.at, `_${operator.kind}_`, left, this.#calc(precedence + 1))
    }
    this.#leave(`calc${precedence}`, levels)
    return left
  }

  #unary(): Expr {
    const first = this.#peek()
    if (first.kind !== '!' && first.kind !== '-') return this.#member()
    if (first.kind === '-' && this.#isNumber(1)) return this.#member()
    let count = 0
    while (this.#take(first.kind)) count++
    const operand = this.#member()
    return count % 2 === 0 ? operand : call(first.at, first.kind === '!' ? '!_' : '-_', operand)
  }

  #isNumber(ahead: number): boolean {
    const { kind } = this.#peek(ahead)
    return kind === 'int' || kind === 'float'
  }

  #member(): Expr {
    let operand = this.#primary()
    let levels = 0
    for (;;) {
      const dot = this.#take('.')
      const bracket = dot ? undefined : this.#take('[')
      if (!dot && !bracket) break
      this.#enter('member')
      levels++
      operand = dot ? this.#afterDot(operand, dot) : this.#index(operand, bracket as Token)
    }
    this.#leave('member', levels)
    return operand
  }

  #afterDot(operand: Expr, dot: Token): Expr {
    const optional = this.#take('?')
    const token = this.#take('ident') ?? this.#take('escaped')
    if (token === undefined) return this.#stop(this.#peek(), unexpectedField(this.#peek(), optional !== undefined))
    const field = token.kind === 'escaped' ? this.#escaped(token) : token.text
    if (optional) {
      const name: Literal = { kind: 'literal', at: token.at, value: field }
      return call(dot.at, '_?._', operand, name)
    }
    const open = token.kind === 'ident' ? this.#take('(') : undefined
    if (open === undefined) return { kind: 'select', at: dot.at, operand, field, test: false }
    return this.#called(open, field, operand, this.#arguments())
  }

  /** `a.` + "`b-c`": the grammar knows it, Kubernetes does not turn it on. */
  #escaped(token: Token): string {
    this.#issues.push({ at: token.at, message: "unsupported syntax: '`'" })
    return token.text.slice(1, -1)
  }

  #index(operand: Expr, bracket: Token): Expr {
    const optional = this.#take('?')
    const index = this.#expr('index')
    this.#want(']', "']'")
    return call(bracket.at, optional ? '_[?_]' : '_[_]', operand, index)
  }

  #called(open: Token, name: string, target: Expr | undefined, args: readonly Expr[]): Expr {
    const expanded = expandMacro(open.at, name, target, args)
    if (expanded === undefined) return { kind: 'call', at: open.at, name, target, args }
    return 'message' in expanded ? this.#report(expanded.at, expanded.message) : expanded
  }

  #arguments(): Expr[] {
    const args: Expr[] = []
    if (this.#take(')')) return args
    args.push(this.#expr('argument'))
    while (this.#take(',')) args.push(this.#expr())
    this.#want(')', "')'")
    return args
  }

  #primary(): Expr {
    const token = this.#peek()
    if (startsOperand(token)) this.#place = 'operand'
    if (token.kind === '(') return this.#parenthesized()
    if (token.kind === '[') return this.#list()
    if (token.kind === '{') return this.#map()
    if (token.kind === '.' || token.kind === 'ident') return this.#name()
    if (LITERALS.has(token.kind) || (token.kind === '-' && this.#isNumber(1))) return this.#literal()
    return this.#misplaced(token)
  }

  /** No operand begins here: with one right behind it the token is one too many, and passed. */
  #misplaced(token: Token): Expr {
    if (token.kind === 'eof' && this.#peek(-1).kind === '!')
      return this.#stop(token, notAnOperand(token, this.#place, true))
    const extra = startsOperand(this.#peek(1)) || (token.kind === ':' && this.#peek(1).kind === 'ident')
    const message = notAnOperand(token, this.#place, extra)
    if (!extra) return this.#stop(token, message)
    this.#report(token.at, message)
    this.#next++
    return this.#primary()
  }

  #parenthesized(): Expr {
    this.#next++
    const expr = this.#expr()
    this.#want(')', "')'")
    return expr
  }

  #name(): Expr {
    const dot = this.#take('.')
    const next = this.#peek()
    if (dot && next.kind !== 'ident') this.#stop(next, unexpectedField(next, false))
    const token = this.#want('ident', 'IDENTIFIER')
    if (this.#structFollows()) return this.#struct(dot, token)
    if (RESERVED.has(token.text)) {
      const bad = this.#report(dot?.at ?? token.at, `reserved identifier: ${token.text}`)
      if (this.#take('(')) this.#arguments()
      return bad
    }
    const name = dot ? `.${token.text}` : token.text
    const open = this.#take('(')
    if (open) return this.#called(open, name, undefined, this.#arguments())
    return { kind: 'ident', at: token.at, name }
  }

  #structFollows(): boolean {
    let ahead = 0
    while (this.#peek(ahead).kind === '.' && this.#peek(ahead + 1).kind === 'ident') ahead += 2
    return this.#peek(ahead).kind === '{'
  }

  #struct(dot: Token | undefined, first: Token): Expr {
    let name = dot ? `.${first.text}` : first.text
    while (this.#take('.')) name += `.${this.#want('ident', 'IDENTIFIER').text}`
    const brace = this.#want('{', "'{'")
    const fields: FieldInit[] = []
    this.#listed('}', () => {
      const optional = this.#take('?') !== undefined
      const token = this.#take('escaped') ?? this.#want('ident', "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}")
      const field = token.kind === 'escaped' ? this.#escaped(token) : token.text
      const colon = this.#want(':', "':'")
      fields.push({ at: colon.at, field, value: this.#expr(), optional })
    })
    return { kind: 'struct', at: brace.at, name, fields }
  }

  #list(): Expr {
    const bracket = this.#want('[', "'['")
    const elements: Expr[] = []
    const optional: boolean[] = []
    this.#listed(']', () => {
      optional.push(this.#take('?') !== undefined)
      elements.push(this.#expr('element'))
    })
    return { kind: 'list', at: bracket.at, elements, optional }
  }

  #map(): Expr {
    const brace = this.#want('{', "'{'")
    const entries: MapEntry[] = []
    this.#listed('}', () => {
      const optional = this.#take('?') !== undefined
      const key = this.#expr('entry')
      const colon = this.#want(':', "':'")
      entries.push({ at: colon.at, key, value: this.#expr(), optional })
    })
    return { kind: 'map', at: brace.at, entries }
  }

  /** Elements with commas between them, and one after the last where somebody likes it. */
  #listed(close: string, element: () => void): void {
    const bare = this.#take(',') !== undefined
    if (!bare) this.#elements(close, element)
    this.#want(close, bare ? `'${close}'` : `{'${close}', ','}`)
  }

  #elements(close: string, element: () => void): void {
    while (this.#peek().kind !== close) {
      element()
      if (!this.#take(',')) return
    }
  }

  #literal(): Expr {
    const first = this.#peek()
    const minus = this.#take('-')
    const token = this.#peek()
    this.#next++
    const value = literalValue(token, minus !== undefined)
    if (value === undefined) {
      const name = token.kind === 'float' ? 'double' : token.kind
      return this.#report(first.at, `invalid ${name} literal`)
    }
    return { kind: 'literal', at: first.at, value }
  }
}

function unexpectedField(token: Token, optional: boolean): string {
  if (['true', 'false', 'null'].includes(token.kind)) return notTheSign(token, 'IDENTIFIER', false)
  if (optional) return notTheSign(token, '{IDENTIFIER, ESC_IDENTIFIER}', false)
  return `Syntax error: no viable alternative at input '.${token.kind === 'eof' ? '' : token.text}'`
}

const call = (at: number, name: string, ...args: Expr[]): Call => ({ kind: 'call', at, name, target: undefined, args })

/** The operators from `low` to `high` with the terms around them. */
function balance(name: string, terms: readonly Expr[], operators: readonly Token[], low: number, high: number): Expr {
  if (low > high) return terms[low] as Expr
  const middle = Math.floor((low + high + 1) / 2)
  const left = balance(name, terms, operators, low, middle - 1)
  const right = balance(name, terms, operators, middle + 1, high)
  return call((operators[middle] as Token).at, name, left, right)
}

function literalValue(token: Token, negative: boolean): Value | undefined {
  switch (token.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'null':
      return null
    case 'int':
      return inRange(negative ? -BigInt(token.text) : BigInt(token.text), -(2n ** 63n), 2n ** 63n - 1n)
    case 'uint': {
      const value = inRange(BigInt(token.text.slice(0, -1)), 0n, 2n ** 64n - 1n)
      return value === undefined ? undefined : new Uint(value)
    }
    case 'float': {
      const value = negative ? -Number(token.text) : Number(token.text)
      return Number.isFinite(value) ? value : undefined
    }
    default:
      return token.value
  }
}

const inRange = (value: bigint, low: bigint, high: bigint) => (value >= low && value <= high ? value : undefined)
