/** CEL over a token's claims and over the user that comes of them. Loaded only where a configuration uses it. */
import { compile, extend, isProgram, type Program } from '../../../api/machinery/cel/environment.ts'
import { jsonValue } from '../../../api/machinery/cel/json-value.ts'
import { KUBERNETES } from '../../../api/machinery/cel/kubernetes.ts'
import type { Expr } from '../../../api/machinery/cel/syntax/ast.ts'
import { BOOL, DYN, listOf, mapOf, objectType, STRING } from '../../../api/machinery/cel/types.ts'
import { CelList, type Value } from '../../../api/machinery/cel/values.ts'

const USER = objectType('kubernetes.UserInfo', field => {
  const fields = { username: STRING, uid: STRING, groups: listOf(STRING), extra: mapOf(STRING, listOf(STRING)) }
  return fields[field as keyof typeof fields]
})

const ENVIRONMENTS = {
  claims: extend(KUBERNETES, { claims: mapOf(STRING, DYN) }),
  user: extend(KUBERNETES, { user: USER }, [['kubernetes.UserInfo', USER]]),
}

/** An expression over `claims` or `user`. */
export interface Expression {
  readonly source: string
  /** Evaluates it. Throws an Error where that fails. */
  run(json: unknown): Value
  /** Whether `variable.field` stands in it. */
  uses(field: string): boolean
}

/** Whether `variable.field` or `variable.?field` stands anywhere in the expression. */
function selects(expr: unknown, variable: string, field: string): boolean {
  if (typeof expr !== 'object' || expr === null) return false
  if (Array.isArray(expr)) return expr.some(each => selects(each, variable, field))
  const node = expr as Partial<Expr> & Record<string, unknown>
  if (node.kind === 'select') {
    const { operand, field: selected, qualified } = node as Extract<Expr, { kind: 'select' }>
    if (qualified === `${variable}.${field}`) return true
    if (operand.kind === 'ident' && operand.name === variable && selected === field) return true
  }
  if (node.kind === 'call') {
    const [operand, name] = (node as Extract<Expr, { kind: 'call' }>).args
    const named = name?.kind === 'literal' && name.value === field
    if (operand?.kind === 'ident' && operand.name === variable && named) return true
  }
  return Object.entries(node).some(([key, part]) => key !== 'type' && selects(part, variable, field))
}

/** Compiles an expression; a string says what is wrong with it. `condition`: it must be a boolean. */
export function compileExpression(
  source: string,
  variable: keyof typeof ENVIRONMENTS,
  condition = false,
): Expression | string {
  const program = compile(source, ENVIRONMENTS[variable], condition ? [BOOL] : [])
  if (!isProgram(program)) return program.message
  return {
    source,
    run: json => evaluated(program, { [variable]: jsonValue(json) }),
    uses: field => selects(program.expr, variable, field),
  }
}

function evaluated(program: Program, variables: Record<string, Value>): Value {
  const outcome = program.run(variables)
  if ('error' in outcome) throw new Error(`expression '${program.source}' resulted in error: ${outcome.error}`)
  return outcome.value
}

/** The strings of a value that is a string, a list of strings or null; empty ones are left out. */
export function stringsOf(value: Value): string[] {
  const items = value === null ? [] : value instanceof CelList ? [...value] : [value]
  return items.filter((item): item is string => {
    if (typeof item !== 'string') throw new Error('expression must return a string or a list of strings')
    return item !== ''
  })
}
