/** One rule of a schema, compiled against the type of the value that it is about. */
import type { ValidationRule } from '../../generated/types/apiextensions-v1.ts'
import { type CompileError, compile, extend, isProgram, type Program } from '../../machinery/cel/environment.ts'
import { estimateCost } from '../../machinery/cel/estimate/estimate.ts'
import { KUBERNETES } from '../../machinery/cel/kubernetes.ts'
import { BOOL, type CelType, optionalOf, STRING, sameType } from '../../machinery/cel/types.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** Absent where it does not compile, or says nothing. */
  readonly program?: Program
  /** Why it does not compile. */
  readonly error?: string
  readonly usesOldSelf: boolean
  /** The most that one evaluation may cost. */
  readonly maxCost: number
  readonly message?: { readonly program: Program; readonly maxCost: number } | { readonly error: string }
}

const failure = ({ message }: CompileError) => message

/** Whether an expression names a variable. */
function names(expr: unknown, variable: string): boolean {
  if (typeof expr !== 'object' || expr === null) return false
  const { kind, name } = expr as { kind?: unknown; name?: unknown }
  if (kind === 'ident' && name === variable) return true
  return Object.entries(expr).some(([key, inner]) => key !== 'type' && names(inner, variable))
}

function compileMessage(source: string, env: Parameters<typeof compile>[1], type: CelType): CompiledRule['message'] {
  const program = compile(source, env)
  if (!isProgram(program)) return { error: `messageExpression ${failure(program)}` }
  if (!sameType(program.type, STRING)) return { error: 'messageExpression must evaluate to a string' }
  return { program, maxCost: estimateCost(program.expr, type).max }
}

/** Compiles a rule for values of a type. */
export function compileRule(rule: ValidationRule, type: CelType): CompiledRule {
  const none = { rule, usesOldSelf: false, maxCost: 0 }
  if (!rule.rule?.trim()) return none
  const oldSelf = rule.optionalOldSelf ? optionalOf(type) : type
  const env = extend(KUBERNETES, { self: type, oldSelf })
  const program = compile(rule.rule, env)
  if (!isProgram(program)) return { ...none, error: failure(program) }
  if (!sameType(program.type, BOOL)) return { ...none, error: 'cel expression must evaluate to a bool' }
  const message = rule.messageExpression ? compileMessage(rule.messageExpression, env, type) : undefined
  return {
    rule,
    program,
    usesOldSelf: names(program.expr, 'oldSelf'),
    maxCost: estimateCost(program.expr, type).max,
    ...(message && { message }),
  }
}
