import { mergeValues } from '../../../api/machinery/apply/typed.ts'
import { CelError } from '../../../api/machinery/cel/errors.ts'
import type { Variables } from '../../../api/machinery/cel/runtime/frame.ts'
import { misnamedObject, toJson } from '../../../api/machinery/cel/to-json.ts'
import type { Value } from '../../../api/machinery/cel/values.ts'
import { jsonPatch } from '../../../api/machinery/json-patch.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { Schema } from '../../../api/machinery/schema.ts'
import { compileSchema } from '../../../api/machinery/schema-node.ts'
import {
  type Compiled,
  compilerOf,
  type Named,
  type PolicyExpressions,
  RESULTS,
} from '../../../api/policies/compile.ts'
import { cloneJson } from '../../../lib/json.ts'
import { atomicsIn, undeclaredIn } from './apply-configuration.ts'
import { Evaluation, OutOfBudget, POLICY_BUDGET } from './evaluation.ts'

/** The expressions of a MutatingAdmissionPolicy. */
export interface MutatingSpec extends PolicyExpressions {
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly reinvocationPolicy?: string
  readonly mutations?: readonly {
    readonly patchType?: string
    readonly applyConfiguration?: { readonly expression: string }
    readonly jsonPatch?: { readonly expression: string }
  }[]
}

/** One mutation, compiled. */
export interface Mutation extends Compiled {
  readonly apply: boolean
}

/** A MutatingAdmissionPolicy, compiled. */
export interface MutatingProgram {
  readonly variables: readonly Named[]
  readonly conditions: readonly Named[]
  readonly mutations: readonly Mutation[]
  /** Wants to see the object again when somebody changed it later. */
  readonly reinvoked: boolean
}

/** Compiles all expressions of a policy; what is wrong with one shows when it is evaluated. */
export function compileMutations(spec: MutatingSpec): MutatingProgram {
  const compiler = compilerOf(spec, true)
  return {
    variables: compiler.variables,
    conditions: (spec.matchConditions ?? []).map(({ name, expression }) => ({
      name,
      ...compiler.compile(expression, RESULTS.condition),
    })),
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const apply = patchType === 'ApplyConfiguration'
      const expression = (apply ? applyConfiguration : jsonPatch)?.expression ?? ''
      return { apply, ...compiler.compile(expression, apply ? RESULTS.applyConfiguration : RESULTS.jsonPatch) }
    }),
    reinvoked: spec.reinvocationPolicy === 'IfNeeded',
  }
}

/** A mutation that cannot be made. */
export class MutationFailed extends Error {}

/**
 * What a mutation makes of an object, which stays as it is.
 *
 * @throws MutationFailed
 * @throws Waiting when the authorizer must be awaited first
 */
export function mutated(
  mutation: Mutation,
  object: KubeObject,
  schema: Schema | string,
  input: Variables,
  variables: readonly Named[],
): KubeObject {
  const { result } = mutation
  if (!('run' in result)) throw new MutationFailed(result.message)
  const value = evaluated(mutation, input, variables)
  return mutation.apply ? applied(value, object, schema) : patched(value, object)
}

function evaluated(mutation: Mutation, input: Variables, variables: readonly Named[]): Value {
  try {
    const outcome = new Evaluation(input, variables, POLICY_BUDGET).run(mutation)
    if ('error' in outcome) throw new MutationFailed(outcome.error)
    return outcome.value
  } catch (error) {
    if (error instanceof OutOfBudget) throw new MutationFailed(error.message)
    throw error
  }
}

function plain(value: Value): unknown {
  const misnamed = misnamedObject(value)
  if (misnamed !== undefined) throw new MutationFailed(`type mismatch: ${misnamed}`)
  try {
    return toJson(value)
  } catch (error) {
    if (error instanceof CelError) throw new MutationFailed(error.message)
    throw error
  }
}

function applied(value: Value, object: KubeObject, schema: Schema | string): KubeObject {
  const { apiVersion, kind } = object
  const patch = { ...(plain(value) as KubeObject), apiVersion, kind }
  const node = compileSchema(schema)
  const undeclared = undeclaredIn(node, patch)
  if (undeclared !== undefined)
    throw new MutationFailed(`error applying patch: failed to convert patch object to typed object: ${undeclared}`)
  const atomics = atomicsIn(node, patch)
  if (atomics.length > 0) {
    const places = atomics.join(', ')
    throw new MutationFailed(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${places}`,
    )
  }
  return cloneJson(mergeValues(node, object, patch)) as KubeObject
}

interface Operation {
  op?: string
  path?: string
  from?: string
  value?: unknown
}

function patched(value: Value, object: KubeObject): KubeObject {
  const operations = plain(value) as Operation[]
  try {
    return jsonPatch(cloneJson(object), operations) as KubeObject
  } catch (error) {
    const { message, cause } = error as Error
    const problem = cause instanceof Error ? cause.message : message
    if (problem.endsWith(': test failed')) return object
    throw new MutationFailed(`JSON Patch: ${placed(problem, operations)}`)
  }
}

/** A missing key is told with its path. */
function placed(problem: string, operations: readonly Operation[]): string {
  const key = /^Unable to remove nonexistent key: (.*): missing value$/.exec(problem)?.[1]
  const operation =
    key === undefined ? undefined : operations.find(({ op, path }) => op === 'remove' && path?.endsWith(key))
  return operation === undefined ? problem : `error in remove for path: '${operation.path}': ${problem}`
}
