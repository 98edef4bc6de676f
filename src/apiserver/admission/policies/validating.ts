import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { internalError, StatusError } from '../../../api/machinery/status-error.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import { convertObject } from '../matching/equivalents.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts'
import { refuse, refuseMissing } from '../refusal.ts'
import { isExempt } from '../webhooks/match-hook.ts'
import { settled } from './evaluation.ts'
import type { BoundPolicy, PolicyBinding } from './live-policies.ts'
import type { MatchDeps } from './match-resources.ts'
import { collectParams, Misconfigured, type ParamDeps, paramKindOf } from './params.ts'
import { RequestInput, type RequestShape } from './request-input.ts'
import { type Denial, judge, type ValidatingProgram, type Verdict } from './validations.ts'

/** What both kinds of policies need of the server. */
export interface PolicyPluginDeps<P> extends MatchDeps, ParamDeps {
  policies(): readonly BoundPolicy<P>[]
  readonly authorize: Authorizer
}

/** A refusal, with who refuses. */
interface Refusal {
  readonly policy: string
  readonly binding: string | undefined
  readonly message: string
  readonly reason: string
}

const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 }

const ANNOTATION_LIMIT = 10 * 1024
const FAILURE_KEY = 'validation.policy.admission.k8s.io/validation_failure'

/** ValidatingAdmissionPolicy: policies in CEL that judge. */
export function validatingPolicies(deps: PolicyPluginDeps<ValidatingProgram>): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: request => deps.policies().length > 0 && !isExempt(request),
    async validate(request) {
      const judging = new Judging(deps, request)
      for (const policy of deps.policies()) await judging.ask(policy)
      judging.conclude()
    },
  }
}

/**
 * The kind as which a policy's rules name a request; undefined where they do not.
 *
 * @throws Misconfigured when the policy has parameters of a kind that is not served
 */
export function matchingKind(
  policy: BoundPolicy<unknown>,
  request: AdmissionAttributes,
  deps: ParamDeps,
): Kind | undefined {
  const as = policy.matches(request)
  if (as !== undefined && policy.paramKind !== undefined) paramKindOf(policy.paramKind, deps)
  return as
}

/** The request in the shape of the kind as which a policy's rules name it. */
export async function shapeFor(request: AdmissionAttributes, as: Kind): Promise<RequestShape> {
  const { kind, objectKind, object, old } = request
  if (as.key === kind.key || objectKind.kind !== kind.kind) return { as, object, old }
  try {
    return {
      as,
      object: object && (await convertObject(object, kind, as)),
      old: old && (await convertObject(old, kind, as)),
    }
  } catch (error) {
    throw internalError(error)
  }
}

/** The namespace of a request, which must be there; undefined where the request has none. */
export function namespaceOf(request: AdmissionAttributes, { namespaces }: MatchDeps): KubeObject | undefined {
  if (!request.namespace || request.kind.key === 'v1/namespaces') return undefined
  const found = namespaces.get('', request.namespace)
  if (!found) throw refuseMissing('namespaces', request.namespace)
  return found.value
}

/** The judgement of one request. */
class Judging {
  readonly #deps: PolicyPluginDeps<ValidatingProgram>
  readonly #request: AdmissionAttributes
  readonly #input: RequestInput
  readonly #refusals: Refusal[] = []

  constructor(deps: PolicyPluginDeps<ValidatingProgram>, request: AdmissionAttributes) {
    this.#deps = deps
    this.#request = request
    this.#input = new RequestInput(request, deps.authorize)
  }

  async ask(policy: BoundPolicy<ValidatingProgram>): Promise<void> {
    const as = this.#configured(policy, undefined, () => matchingKind(policy, this.#request, this.#deps))
    if (as === undefined) return
    const annotations = new Map<string, Set<string>>()
    for (const binding of policy.bindings) await this.#askBound(policy, binding, as, annotations)
    for (const [key, values] of annotations) this.#request.audit(`${policy.name}/${key}`, [...values].join(', '))
  }

  async #askBound(
    policy: BoundPolicy<ValidatingProgram>,
    binding: PolicyBinding,
    as: Kind,
    annotations: Map<string, Set<string>>,
  ): Promise<void> {
    const request = this.#request
    const params = this.#configured(policy, binding, () => {
      if (binding.matches(request) === undefined) return undefined
      return collectParams(policy.paramKind, binding.paramRef, request.namespace, this.#deps)
    })
    if (params === undefined || params.length === 0) return
    const shape = await shapeFor(request, as)
    const namespace = namespaceOf(request, this.#deps)
    for (const param of params) {
      const input = this.#input.variables(shape, namespace, param)
      const forConditions = this.#input.forConditions(input, as)
      const verdict = await settled(() => judge(policy.program(), input, policy.ignoresFailure, forConditions))
      this.#heed(policy, binding, verdict, annotations)
    }
  }

  /** Runs what may show that the policy or the binding is not usable; that refuses, or is ignored. */
  #configured<T>(
    policy: BoundPolicy<ValidatingProgram>,
    binding: PolicyBinding | undefined,
    run: () => T,
  ): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof Misconfigured) && !(error instanceof StatusError)) throw error
      if (policy.ignoresFailure) return undefined
      const message = `failed to configure ${binding ? 'binding' : 'policy'}: ${error.message}`
      this.#refusals.push({ policy: policy.name, binding: binding?.name, message, reason: '' })
      return undefined
    }
  }

  #heed(
    policy: BoundPolicy<ValidatingProgram>,
    binding: PolicyBinding,
    verdict: Verdict,
    annotations: Map<string, Set<string>>,
  ): void {
    for (const denial of verdict.denials)
      for (const action of binding.actions) this.#act(action, policy.name, binding, denial)
    for (const message of verdict.failures)
      this.#refusals.push({ policy: policy.name, binding: binding.name, message, reason: '' })
    for (const { key, value } of verdict.annotations) {
      const values = annotations.get(key) ?? new Set()
      annotations.set(key, values.add(value.slice(0, ANNOTATION_LIMIT)))
    }
  }

  #act(action: string, policy: string, binding: PolicyBinding, { index, message, reason }: Denial): void {
    if (action === 'Deny') this.#refusals.push({ policy, binding: binding.name, message, reason })
    if (action === 'Warn')
      this.#request.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding.name}': ${message}`,
      )
    if (action !== 'Audit') return
    const failure = {
      message,
      policy,
      binding: binding.name,
      expressionIndex: index,
      validationActions: binding.actions,
    }
    this.#request.audit(FAILURE_KEY, JSON.stringify([failure]))
  }

  /** Throws the first refusal. */
  conclude(): void {
    const [first] = this.#refusals
    if (first === undefined) return
    const who = first.binding === undefined ? `'${first.policy}'` : `'${first.policy}' with binding '${first.binding}'`
    const message = `ValidatingAdmissionPolicy ${who} denied request: ${first.message}`
    const { status } = refuse(this.#request, message)
    const reason = first.reason || 'Invalid'
    throw new StatusError({
      ...status,
      reason,
      code: CODES[reason] ?? 422,
      details: { ...status.details, causes: [{ message }] },
    })
  }
}
