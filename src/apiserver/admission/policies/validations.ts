import type { Variables } from '../../../api/machinery/cel/runtime/frame.ts'
import {
  type Compiled,
  compilerOf,
  type Named,
  type PolicyExpressions,
  RESULTS,
} from '../../../api/policies/compile.ts'
import { conditionsHold } from './conditions.ts'
import { Evaluation, OutOfBudget, POLICY_BUDGET } from './evaluation.ts'

/** The expressions of a ValidatingAdmissionPolicy. */
export interface ValidatingSpec extends PolicyExpressions {
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[]
}

interface Validation {
  readonly expression: string
  readonly message?: string
  readonly reason?: string
  readonly messageExpression?: string
}

interface CompiledValidation extends Compiled {
  readonly validation: Validation
  readonly message: Compiled | undefined
}

/** A ValidatingAdmissionPolicy, compiled. */
export interface ValidatingProgram {
  readonly variables: readonly Named[]
  readonly conditions: readonly Named[]
  readonly validations: readonly CompiledValidation[]
  readonly annotations: readonly Named[]
}

/** Compiles all expressions of a policy; what is wrong with one shows when it is evaluated. */
export function compileValidations(spec: ValidatingSpec): ValidatingProgram {
  const compiler = compilerOf(spec)
  const named = (name: string, compiled: Compiled): Named => ({ name, ...compiled })
  return {
    variables: compiler.variables,
    conditions: (spec.matchConditions ?? []).map(({ name, expression }) =>
      named(name, compiler.compile(expression, RESULTS.condition)),
    ),
    validations: (spec.validations ?? []).map(validation => ({
      validation,
      ...compiler.compile(validation.expression, RESULTS.condition),
      message:
        validation.messageExpression === undefined
          ? undefined
          : compiler.compile(validation.messageExpression, RESULTS.message, false),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) =>
      named(key, compiler.compile(valueExpression, RESULTS.annotation)),
    ),
  }
}

/** One validation that did not pass. */
export interface Denial {
  /** Which of the policy's validations. */
  readonly index: number
  readonly message: string
  /** As the policy says; Invalid unless it does. */
  readonly reason: string
}

/** What a policy says about a request. */
export interface Verdict {
  /** Those that the binding's actions are about. */
  readonly denials: readonly Denial[]
  /** Those that refuse the request whatever the actions are. */
  readonly failures: readonly string[]
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
}

const PASSED: Verdict = { denials: [], failures: [], annotations: [] }
const MESSAGE_BYTES = 5 * 1024

/**
 * Evaluates a policy for one request and one parameter.
 *
 * @throws Waiting when the authorizer must be awaited first
 */
export function judge(
  program: ValidatingProgram,
  input: Variables,
  ignoresFailure: boolean,
  forConditions = input,
): Verdict {
  const failed = (message: string): Verdict =>
    ignoresFailure ? PASSED : { ...PASSED, denials: [{ index: 0, message, reason: '' }] }
  const holds = conditionsHold(program.conditions, forConditions, program.variables)
  if (typeof holds === 'object') return failed(holds.error)
  if (!holds) return PASSED
  try {
    const denials = validate(program, input, ignoresFailure)
    return { denials, ...annotate(program, input, ignoresFailure) }
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(error.message)
    throw error
  }
}

function validate(program: ValidatingProgram, input: Variables, ignoresFailure: boolean): Denial[] {
  const evaluation = new Evaluation(input, program.variables, POLICY_BUDGET)
  const denials: Denial[] = []
  for (const [index, compiled] of program.validations.entries()) {
    const result = evaluation.run(compiled)
    if ('error' in result) {
      if (!ignoresFailure) denials.push({ index, message: result.error, reason: '' })
    } else if (result.value !== true) {
      denials.push({ index, message: '', reason: compiled.validation.reason ?? 'Invalid' })
    }
  }
  return denials.length === 0 ? denials : withMessages(denials, program, input)
}

/** Messages are made only when something was denied. */
function withMessages(denials: readonly Denial[], program: ValidatingProgram, input: Variables): Denial[] {
  const evaluation = new Evaluation(input, program.variables, POLICY_BUDGET)
  return denials.map(denial => {
    if (denial.message !== '') return denial
    const { validation, message } = program.validations[denial.index] as CompiledValidation
    const made = message === undefined ? '' : evaluatedMessage(evaluation, message)
    const plain = validation.message?.trim()
    return { ...denial, message: made || plain || `failed expression: ${validation.expression.trim()}` }
  })
}

function evaluatedMessage(evaluation: Evaluation, message: Compiled): string {
  const result = evaluation.run(message)
  if ('error' in result || typeof result.value !== 'string') return ''
  const text = result.value.trim()
  return text.includes('\n') || Buffer.byteLength(text) > MESSAGE_BYTES ? '' : text
}

function annotate(
  program: ValidatingProgram,
  input: Variables,
  ignoresFailure: boolean,
): Pick<Verdict, 'failures' | 'annotations'> {
  const failures: string[] = []
  const annotations: { key: string; value: string }[] = []
  if (program.annotations.length === 0) return { failures, annotations }
  const evaluation = new Evaluation(input, program.variables, POLICY_BUDGET)
  for (const compiled of program.annotations) {
    const result = evaluation.run(compiled)
    if ('error' in result) {
      if (!ignoresFailure) failures.push(result.error)
      continue
    }
    const value = typeof result.value === 'string' ? result.value.trim() : ''
    if (value !== '') annotations.push({ key: compiled.name, value })
  }
  return { failures, annotations }
}
