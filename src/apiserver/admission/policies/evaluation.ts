import { CelError } from '../../../api/machinery/cel/errors.ts'
import { Waiting } from '../../../api/machinery/cel/library/authorizer.ts'
import type { Variables } from '../../../api/machinery/cel/runtime/frame.ts'
import { CelMap, type Value } from '../../../api/machinery/cel/values.ts'
import type { Compiled, Named } from '../../../api/policies/compile.ts'

/** What all expressions of one policy may cost for one request. */
export const POLICY_BUDGET = 10_000_000
/** What its match conditions may cost. */
export const CONDITIONS_BUDGET = 2_500_000

/** Thrown when the budget is spent: nothing more is evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

/** What an expression came to. */
export type Result = { readonly value: Value } | { readonly error: string }

/** Evaluates expressions one after the other for the same request, out of one budget. */
export class Evaluation {
  readonly #variables: Variables
  readonly #composed: ComposedVariables
  #remaining: number

  constructor(input: Variables, variables: readonly Named[], budget: number) {
    this.#composed = new ComposedVariables(variables)
    this.#variables = { ...input, variables: this.#composed }
    this.#composed.scope = this.#variables
    this.#remaining = budget
  }

  /**
   * @throws OutOfBudget
   * @throws Waiting when the authorizer must be awaited first
   */
  run({ expression, result }: Compiled): Result {
    if (!('run' in result)) return { error: `compilation error: ${result.message}` }
    const outcome = result.run(this.#variables)
    this.#spend(this.#composed.takeCost())
    this.#spend(outcome.cost)
    if ('error' in outcome) return { error: `expression '${expression}' resulted in error: ${outcome.error}` }
    return { value: outcome.value }
  }

  #spend(cost: number): void {
    if (cost > this.#remaining) throw new OutOfBudget()
    this.#remaining -= cost
  }
}

/** The variable `variables`: each is evaluated when it is first read. */
class ComposedVariables extends CelMap {
  scope: Variables = {}
  readonly #variables: ReadonlyMap<string, Named>
  readonly #values = new Map<string, Value | CelError>()
  #cost = 0

  constructor(variables: readonly Named[]) {
    super()
    this.#variables = new Map(variables.map(variable => [variable.name, variable]))
  }

  get size(): number {
    return this.#variables.size
  }

  keys(): Iterable<Value> {
    return this.#variables.keys()
  }

  find(key: Value): Value | undefined {
    const variable = typeof key === 'string' ? this.#variables.get(key) : undefined
    if (variable === undefined) return undefined
    let value = this.#values.get(variable.name)
    if (value === undefined) {
      value = this.#evaluate(variable)
      this.#values.set(variable.name, value)
    }
    if (value instanceof CelError) throw value
    return value
  }

  override has(name: string): boolean {
    return this.#variables.has(name)
  }

  /** What evaluating variables has cost since the last time. */
  takeCost(): number {
    const cost = this.#cost
    this.#cost = 0
    return cost
  }

  #evaluate({ name, result }: Named): Value | CelError {
    const which = `composited variable ${JSON.stringify(name)}`
    if (!('run' in result)) return new CelError(`${which} fails to compile: ${result.message}`)
    const outcome = result.run(this.scope)
    this.#cost += outcome.cost
    return 'error' in outcome ? new CelError(`${which} fails to evaluate: ${outcome.error}`) : outcome.value
  }
}

/** Runs something that evaluates expressions, as often as it must wait for the authorizer. */
export async function settled<T>(run: () => T): Promise<T> {
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof Waiting)) throw error
      await error.settled
    }
  }
}
