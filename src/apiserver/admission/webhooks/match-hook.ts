/** Whether a webhook is called for a request, and what it is shown. */
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { internalError } from '../../../api/machinery/status-error.ts'
import type { KindReader } from '../../registry/registry.ts'
import { convertObject, equivalentKinds, type KindSource } from '../matching/equivalents.ts'
import { matchRules } from '../matching/rules.ts'
import { matchesNamespace, matchesObject } from '../matching/selectors.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { refuse } from '../refusal.ts'
import type { Hook } from './hooks.ts'

/** One call of a hook that is to be made. */
export interface Invocation {
  readonly hook: Hook
  /** Place of the hook among those that were looked at. */
  readonly index: number
  /** The kind as which its rules name the request. */
  readonly as: Kind
  /** In the shape of `as`. */
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

export interface MatchDeps {
  readonly kinds: KindSource
  readonly namespaces: KindReader
}

const EXEMPT = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
])

/** Configuration of admission itself, which must stay in reach when a webhook goes wrong. */
export const isExempt = ({ objectKind }: AdmissionAttributes) =>
  objectKind.group === 'admissionregistration.k8s.io' && EXEMPT.has(objectKind.kind)

/** In the shape of `as`; only the kind's own objects have several. */
async function show(request: AdmissionAttributes, as: Kind): Promise<Pick<Invocation, 'object' | 'old'>> {
  const { kind, objectKind, object, old } = request
  if (as.key === kind.key || objectKind.kind !== kind.kind) return { object, old }
  try {
    return {
      object: object && (await convertObject(object, kind, as)),
      old: old && (await convertObject(old, kind, as)),
    }
  } catch (error) {
    throw internalError(error)
  }
}

/** The call of `hook` that a request asks for; undefined for none. Throws a StatusError where that cannot be told. */
export async function matchHook(
  deps: MatchDeps,
  hook: Hook,
  index: number,
  request: AdmissionAttributes,
): Promise<Invocation | undefined> {
  // The rules first, as they are cheapest: a namespace that is missing is no fault of a webhook that is not meant.
  const equivalents = hook.equivalent ? (kind: Kind) => equivalentKinds(deps.kinds, kind) : undefined
  const as = matchRules(hook.rules, request, equivalents)
  if (!as || !matchesObject(hook.objectSelector, request)) return undefined
  if (!matchesNamespace(hook.namespaceSelector, request, deps.namespaces)) return undefined
  const shown = await show(request, as)
  const matcher = hook.matcher()
  if (matcher) {
    let matches: boolean
    try {
      matches = await matcher(request, { as, ...shown })
    } catch (error) {
      throw refuse(request, (error as Error).message)
    }
    if (!matches) return undefined
  }
  return { hook, index, as, ...shown }
}
