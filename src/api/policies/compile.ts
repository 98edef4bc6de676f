import { type CompileError, compile, type Environment, extend, type Program } from '../machinery/cel/environment.ts'
import { APPLY_OBJECT, JSON_PATCH } from '../machinery/cel/kubernetes.ts'
import { BOOL, type CelType, DYN, listOf, NULL, objectType, STRING } from '../machinery/cel/types.ts'
import { type PolicyVariables, policyEnvironment } from './environment.ts'

/** An expression of a policy, compiled or found bad. */
export interface Compiled {
  readonly expression: string
  readonly result: Program | CompileError
}

/** One that has a name or key. */
export interface Named extends Compiled {
  readonly name: string
}

/** What an expression must give: `bool`, `string`, … */
export const RESULTS = {
  condition: [BOOL],
  message: [STRING],
  annotation: [STRING, NULL],
  variable: [DYN],
  applyConfiguration: [APPLY_OBJECT],
  jsonPatch: [listOf(JSON_PATCH)],
} as const satisfies Record<string, readonly CelType[]>

/** The part of a policy's spec that has expressions. */
export interface PolicyExpressions {
  readonly paramKind?: object | undefined
  readonly variables?: readonly { readonly name: string; readonly expression: string }[] | undefined
}

/** Compiles the expressions of one policy: they share its variables. */
export class PolicyCompiler {
  /** The variables, by name, in order; each may use those before it. */
  readonly variables: Named[] = []
  readonly #types = new Map<string, CelType>()
  readonly #environments = new Map<boolean, Environment>()
  readonly #declared: PolicyVariables
  readonly #withVariables: boolean

  /**
   * @param withVariables whether expressions may use `variables`; match conditions of webhooks may not
   */
  constructor(declared: PolicyVariables, withVariables = true) {
    this.#declared = declared
    this.#withVariables = withVariables
  }

  /** Adds a variable; those that follow, and all other expressions, may use it. */
  addVariable(name: string, expression: string): Named {
    const result = this.#compile(expression, RESULTS.variable, true)
    this.#types.set(name, 'run' in result ? result.type : DYN)
    const variable = { name, expression, result }
    this.variables.push(variable)
    return variable
  }

  /** Compiles an expression that must give one of the types; messages may not ask the authorizer. */
  compile(expression: string, wanted: readonly CelType[], authorizer = true): Compiled {
    return { expression, result: this.#compile(expression, wanted, authorizer) }
  }

  #compile(expression: string, wanted: readonly CelType[], authorizer: boolean): Program | CompileError {
    return compile(expression, this.#environment(authorizer), wanted)
  }

  #environment(authorizer: boolean): Environment {
    const known = this.#environments.get(authorizer)
    if (known !== undefined) return known
    const base = policyEnvironment({ ...this.#declared, authorizer: authorizer && this.#declared.authorizer !== false })
    const fields = objectType('kubernetes.variables', name => this.#types.get(name))
    const made = this.#withVariables ? extend(base, { variables: fields }) : base
    this.#environments.set(authorizer, made)
    return made
  }
}

/** The compiler of a policy, with its variables compiled. */
export function compilerOf(spec: PolicyExpressions, mutation = false): PolicyCompiler {
  const compiler = new PolicyCompiler({ params: spec.paramKind !== undefined, mutation })
  for (const { name, expression } of spec.variables ?? []) compiler.addVariable(name, expression)
  return compiler
}
