import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { internalError, StatusError } from '../../../api/machinery/status-error.ts'
import { cloneJson, equalJson } from '../../../lib/json.ts'
import { checkStructure } from '../../registry/structure.ts'
import { convertObject } from '../matching/equivalents.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts'
import { refuse } from '../refusal.ts'
import { isExempt } from '../webhooks/match-hook.ts'
import { conditionsHold } from './conditions.ts'
import { settled } from './evaluation.ts'
import type { BoundPolicy, PolicyBinding } from './live-policies.ts'
import { type MutatingProgram, type Mutation, MutationFailed, mutated } from './mutations.ts'
import { collectParams, Misconfigured } from './params.ts'
import { RequestInput } from './request-input.ts'
import { matchingKind, namespaceOf, type PolicyPluginDeps, shapeFor } from './validating.ts'

/** One policy with one binding and one parameter. */
interface Invocation {
  readonly policy: BoundPolicy<MutatingProgram>
  readonly binding: PolicyBinding
  readonly as: Kind
  readonly param: KubeObject | null
}

interface PolicyProblem {
  readonly message: string
  readonly reason: string
}

/** What is remembered of a request between its two rounds. */
interface Rounds {
  /** Those that want to be asked again, and were asked since the last change. */
  readonly asked: Set<string>
  readonly again: Set<string>
  /** The object as the policies left it. */
  left: KubeObject | undefined
}

const keyOf = ({ policy, binding, param }: Invocation) =>
  JSON.stringify([policy.name, binding.name, param?.metadata?.namespace ?? '', param?.metadata?.name ?? ''])

/** MutatingAdmissionPolicy: policies in CEL that change, one after the other. */
export function mutatingPolicies(deps: PolicyPluginDeps<MutatingProgram>): AdmissionPlugin {
  const memory = new WeakMap<AdmissionAttributes, Rounds>()
  return {
    name: 'MutatingAdmissionPolicy',
    handles: request => deps.policies().length > 0 && !isExempt(request) && request.operation !== 'CONNECT',
    async mutate(request) {
      const rounds = memory.get(request) ?? { asked: new Set(), again: new Set(), left: undefined }
      memory.set(request, rounds)
      const changing = new Changing(deps, request, rounds)
      await changing.run()
      rounds.left = rounds.asked.size > 0 ? cloneJson(request.object) : undefined
    },
  }
}

/** The changes to one request in one round. */
class Changing {
  readonly #deps: PolicyPluginDeps<MutatingProgram>
  readonly #request: AdmissionAttributes
  readonly #rounds: Rounds
  readonly #problems: PolicyProblem[] = []
  readonly #input: RequestInput

  constructor(deps: PolicyPluginDeps<MutatingProgram>, request: AdmissionAttributes, rounds: Rounds) {
    this.#deps = deps
    this.#request = request
    this.#rounds = rounds
    this.#input = new RequestInput(request, deps.authorize)
  }

  async run(): Promise<void> {
    const { asked, left } = this.#rounds
    if (this.#request.round > 0 && asked.size > 0 && !equalJson(left, this.#request.object)) this.#changeSeen()
    const invocations = this.#deps.policies().flatMap(policy => this.#invocations(policy))
    const namespace = invocations.length > 0 ? namespaceOf(this.#request, this.#deps) : undefined
    for (const invocation of invocations) await this.#invoke(invocation, namespace)
    this.#conclude()
  }

  /** All that were asked before a change are to be asked again. */
  #changeSeen(): void {
    for (const key of this.#rounds.asked) this.#rounds.again.add(key)
    this.#rounds.asked.clear()
  }

  #invocations(policy: BoundPolicy<MutatingProgram>): Invocation[] {
    const as = this.#configured(policy, undefined, () => matchingKind(policy, this.#request, this.#deps))
    if (as === undefined) return []
    return policy.bindings.flatMap(binding => {
      const params = this.#configured(policy, binding, () => {
        if (binding.matches(this.#request) === undefined) return undefined
        return collectParams(policy.paramKind, binding.paramRef, this.#request.namespace, this.#deps)
      })
      return (params ?? []).map(param => ({ policy, binding, as, param }))
    })
  }

  #configured<T>(
    policy: BoundPolicy<MutatingProgram>,
    binding: PolicyBinding | undefined,
    run: () => T,
  ): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof Misconfigured) && !(error instanceof StatusError)) throw error
      this.#problem(policy, binding, `failed to configure ${binding ? 'binding' : 'policy'}: ${error.message}`, '')
      return undefined
    }
  }

  #problem(policy: BoundPolicy<unknown>, binding: PolicyBinding | undefined, text: string, reason: string): void {
    if (policy.ignoresFailure) return
    const who = binding ? `policy '${policy.name}' with binding '${binding.name}'` : `policy "${policy.name}"`
    this.#problems.push({ message: `${who} denied request: ${text}`, reason })
  }

  async #invoke(invocation: Invocation, namespace: KubeObject | undefined): Promise<void> {
    const { policy, binding, as, param } = invocation
    const program = policy.program()
    const key = keyOf(invocation)
    const shape = await shapeFor(this.#request, as)
    const input = this.#input.variables(shape, namespace, param)
    const forConditions = this.#input.forConditions(input, as)
    const holds = await settled(() => conditionsHold(program.conditions, forConditions, program.variables))
    if (typeof holds === 'object') return this.#problem(policy, binding, holds.error, 'Invalid')
    if (!holds || (this.#request.round > 0 && !this.#rounds.again.has(key))) return
    let changed = false
    for (const mutation of program.mutations)
      changed = (await this.#mutate(invocation, mutation, program, namespace)) || changed
    if (changed) {
      this.#changeSeen()
      this.#request.changed = true
    }
    if (program.reinvoked) this.#rounds.asked.add(key)
  }

  /** Makes one change in place; whether it made a difference. */
  async #mutate(
    { policy, binding, as, param }: Invocation,
    mutation: Mutation,
    program: MutatingProgram,
    namespace: KubeObject | undefined,
  ): Promise<boolean> {
    const { object } = this.#request
    const shape = await shapeFor(this.#request, as)
    if (object === undefined || shape.object === undefined) return false
    const before = shape.object
    const input = this.#input.variables(shape, namespace, param)
    let next: KubeObject
    try {
      next = await settled(() => mutated(mutation, before, as.schema, input, program.variables))
    } catch (error) {
      if (!(error instanceof MutationFailed)) throw error
      this.#problem(policy, binding, error.message, 'Invalid')
      return false
    }
    if (next === before) return false
    next = await this.#settle(next, as)
    if (equalJson(next, object)) return false
    become(object, next)
    return true
  }

  /** The changed object in the structure of its kind, with defaults, in the shape that is stored. */
  async #settle(next: KubeObject, as: Kind): Promise<KubeObject> {
    const { kind, objectKind, user } = this.#request
    if (objectKind.kind !== kind.kind) return next
    try {
      checkStructure(as, next, { user, fieldValidation: 'Strict' })
      as.defaults?.(next)
      return await convertObject(next, as, kind)
    } catch (error) {
      const { message } = error as Error
      throw internalError(message.replace(/^.*?(?=strict decoding error)/, ''))
    }
  }

  #conclude(): void {
    const [first] = this.#problems
    if (first === undefined) return
    const { status } = refuse(this.#request, 'admission request denied by policy')
    throw new StatusError({
      ...status,
      message: first.message,
      reason: first.reason || 'Forbidden',
      details: { ...status.details, causes: this.#problems.map(({ message }) => ({ message })) },
    })
  }
}

/** Puts everything of `next` in the place of everything of `object`. */
function become(object: KubeObject, next: KubeObject): void {
  for (const key of Object.keys(object)) delete (object as Record<string, unknown>)[key]
  Object.assign(object, next)
}
