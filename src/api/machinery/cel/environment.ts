import { check } from './check/checker.ts'
import { literalIssues } from './check/literals.ts'
import { type Declarations, type FunctionDecl, type Library, mergeLibraries } from './declarations.ts'
import { CelError, CostExceeded, formatIssues, type Issue } from './errors.ts'
import { CONVERSIONS, STANDARD_TYPES } from './library/conversions.ts'
import { OPERATORS } from './library/operators.ts'
import { OPTIONALS } from './library/optionals.ts'
import { STRINGS_CORE } from './library/strings-core.ts'
import { TIME_PARTS } from './library/time-parts.ts'
import { Frame, type Variables } from './runtime/frame.ts'
import { plan } from './runtime/plan.ts'
import type { Expr } from './syntax/ast.ts'
import { parse } from './syntax/parser.ts'
import { type CelType, isDyn, sameType } from './types.ts'
import type { Value } from './values.ts'
import { refillWork } from './work.ts'

/** The most that one evaluation may cost, as Kubernetes limits it. */
export const PER_CALL_LIMIT = 1_000_000

/** What an expression may name: variables with their types, functions, and types. Share it: it is made once. */
export interface Environment extends Declarations {
  readonly functions: ReadonlyMap<string, FunctionDecl>
}

/** The language itself, without anything of Kubernetes. */
export const LANGUAGE: readonly Library[] = [OPERATORS, CONVERSIONS, STRINGS_CORE, TIME_PARTS, OPTIONALS]

/** An environment of libraries, before anybody declares variables. */
export function environment(libraries: readonly Library[], types: Iterable<[string, CelType]> = []): Environment {
  return { variables: new Map(), functions: mergeLibraries(libraries), types: new Map([...STANDARD_TYPES, ...types]) }
}

/** The environment with more variables and types; the functions are shared. */
export function extend(
  base: Environment,
  variables: Readonly<Record<string, CelType>>,
  types: Iterable<[string, CelType]> = [],
): Environment {
  return {
    functions: base.functions,
    variables: new Map([...base.variables, ...Object.entries(variables)]),
    types: moreTypes(base.types, types),
  }
}

function moreTypes(base: Environment['types'], more: Iterable<[string, CelType]>): Environment['types'] {
  const added = [...more]
  return added.length === 0 ? base : new Map([...base, ...added])
}

/** An expression that can be evaluated. */
export interface Program {
  readonly source: string
  /** What the expression gives. */
  readonly type: CelType
  /** The checked tree, for cost estimation and for looking which variables it uses. */
  readonly expr: Expr
  /**
   * Evaluates with the given variables.
   *
   * @param limit the most that this evaluation may cost; {@link PER_CALL_LIMIT} when nothing is said
   */
  run(variables: Variables, limit?: number): Outcome
}

/** What an evaluation came to; `cost` is in Kubernetes' units. */
export type Outcome =
  | { readonly value: Value; readonly cost: number }
  | { readonly error: string; readonly exceeded: boolean; readonly cost: number }

/** What is wrong with an expression. */
export interface CompileError {
  /** `compilation failed: ERROR: <input>:1:1: …`, with the line and a caret, as Kubernetes reports it. */
  readonly message: string
  readonly issues: readonly Issue[]
}

/**
 * Parses, checks and plans an expression.
 *
 * @param wanted types one of which the result must have; any, when nothing is said
 */
export function compile(source: string, env: Environment, wanted: readonly CelType[] = []): Program | CompileError {
  const parsed = parse(source)
  if ('issues' in parsed) return failed(source, parsed.issues)
  const { expr } = parsed
  const issues = check(expr, env)
  if (issues.length > 0) return failed(source, issues)
  const literals = literalIssues(expr)
  if (literals.length > 0) return failed(source, literals)
  const type = expr.type as CelType
  if (wanted.length > 0 && !wanted.some(candidate => fits(candidate, type))) return wrongType(wanted, type)
  return program(source, expr, env)
}

/** Whether compiling succeeded. */
export const isProgram = (result: Program | CompileError): result is Program => 'run' in result

/** A result of unknown type does not do: the type must be known when the expression is compiled. */
const fits = (wanted: CelType, type: CelType) => isDyn(wanted) || sameType(wanted, type)

function wrongType(wanted: readonly CelType[], type: CelType): CompileError {
  const names = wanted.map(shown)
  const expected = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`
  const message = `must evaluate to ${expected} but got ${shown(type)}`
  return { message, issues: [{ at: -1, message }] }
}

/** As Kubernetes writes the types of results: by their names at run time. */
const shown = (type: CelType): string =>
  type.params.length === 0 ? type.name : `${type.name}(${type.params.map(shown).join(', ')})`

function failed(source: string, issues: readonly Issue[]): CompileError {
  return { message: `compilation failed: ${formatIssues(source, issues)}`, issues }
}

function program(source: string, expr: Expr, env: Environment): Program | CompileError {
  try {
    const { step, locals } = plan(expr, env)
    return {
      source,
      expr,
      type: expr.type as CelType,
      run: (variables, limit = PER_CALL_LIMIT) => evaluate(step, new Frame(variables, locals, limit)),
    }
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    const message = `program instantiation failed: ${error.message}`
    return { message, issues: [{ at: -1, message }] }
  }
}

function evaluate(step: (frame: Frame) => Value, frame: Frame): Outcome {
  refillWork()
  try {
    const value = step(frame)
    return { value, cost: frame.cost }
  } catch (error) {
    if (error instanceof CelError) return { error: error.message, exceeded: false, cost: frame.cost }
    if (error instanceof CostExceeded) return { error: error.message, exceeded: true, cost: frame.cost }
    // The stack, or a string that is too long for a string.
    if (error instanceof RangeError) return { error: new CostExceeded().message, exceeded: true, cost: frame.cost }
    throw error
  }
}
