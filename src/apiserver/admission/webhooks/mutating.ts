import { jsonPatch } from '../../../api/machinery/json-patch.ts'
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { internalError } from '../../../api/machinery/status-error.ts'
import { cloneJson, equalJson } from '../../../lib/json.ts'
import { checkStructure } from '../../registry/structure.ts'
import { convertObject } from '../matching/equivalents.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts'
import { callHook, HookFailure, shownError } from './call-hook.ts'
import type { Hook } from './hooks.ts'
import { type Invocation, isExempt, matchHook } from './match-hook.ts'
import type { WebhookPluginDeps } from './validating.ts'

/** What is remembered of a request between its two rounds. */
interface Rounds {
  /** Hooks that want to be asked again, and were asked since the last change. */
  asked: Set<string>
  /** Hooks that are to be asked again. */
  again: Set<string>
  /** The object as the webhooks left it. */
  left: KubeObject | undefined
}

/** All that were asked before a change are to be asked again. */
function changeSeen(rounds: Rounds) {
  for (const uid of rounds.asked) rounds.again.add(uid)
  rounds.asked.clear()
}

/** How an answer to a client begins whose object is mistyped: here it is the webhook's. */
const DECODING = /^\w+ in version "\w+" cannot be handled as a \w+: /

/** Puts everything of `next` in the place of everything of `object`. */
function become(object: KubeObject, next: KubeObject) {
  for (const key of Object.keys(object)) delete (object as Record<string, unknown>)[key]
  Object.assign(object, next)
}

/** The object that a patch makes, in the structure of its kind. */
function patchedObject(object: KubeObject, patch: unknown, kind: Kind | undefined, user: AdmissionAttributes['user']) {
  try {
    const next = jsonPatch(cloneJson(object), patch) as KubeObject
    if (kind) {
      checkStructure(kind, next, { user, fieldValidation: 'Ignore' })
      kind.defaults?.(next)
    }
    return next
  } catch (error) {
    // Why an operation does not apply is told here, unlike in an answer to a client's own patch.
    const { cause, message } = error as Error
    throw internalError(cause instanceof Error ? cause : message.replace(DECODING, ''))
  }
}

/** Applies the patch of a hook to the request's object, in place; whether that changed anything. */
async function applyPatch({ hook, as, object }: Invocation, request: AdmissionAttributes, patch: unknown) {
  if (patch === undefined || (Array.isArray(patch) && patch.length === 0)) return false
  if (!object || !request.object)
    throw internalError(
      `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  const { kind, objectKind } = request
  const own = objectKind.kind === kind.kind
  const next = patchedObject(object, patch, own ? as : undefined, request.user)
  if (equalJson(next, object)) return false
  become(request.object, own ? await convertObject(next, as, kind) : next)
  return true
}

function auditPatch(request: AdmissionAttributes, key: string, { configuration, name }: Hook, patch: unknown) {
  const value = { configuration, webhook: name, patch, patchType: 'JSONPatch' }
  request.audit(`patch.webhook.admission.k8s.io/${key}`, JSON.stringify(value), 'Request')
}

/** MutatingAdmissionWebhook: webhooks that change, one after the other, each seeing what those before it did. */
export function mutatingWebhooks(deps: WebhookPluginDeps): AdmissionPlugin {
  const memory = new WeakMap<AdmissionAttributes, Rounds>()

  async function ask(invocation: Invocation, request: AdmissionAttributes): Promise<boolean> {
    const { hook, index } = invocation
    const key = `round_${request.round}_index_${index}`
    let changed = false
    try {
      const patch = await callHook(invocation, request, true, deps.uuid())
      changed = await applyPatch(invocation, request, patch)
      if (patch !== undefined) auditPatch(request, key, hook, patch)
    } catch (error) {
      if (!(error instanceof HookFailure && hook.ignoresFailure)) throw shownError(error)
      deps.logger.warn({ err: error, webhook: hook.name }, 'a webhook could not be called: its failure is ignored')
      request.audit(`failed-open.mutation.webhook.admission.k8s.io/${key}`, hook.name)
    }
    const mutation = { configuration: hook.configuration, webhook: hook.name, mutated: changed }
    request.audit(`mutation.webhook.admission.k8s.io/${key}`, JSON.stringify(mutation))
    return changed
  }

  return {
    name: 'MutatingAdmissionWebhook',
    handles: request => deps.hooks().length > 0 && !isExempt(request),
    async mutate(request) {
      const second = request.round > 0
      const rounds = memory.get(request) ?? { asked: new Set(), again: new Set(), left: undefined }
      memory.set(request, rounds)
      if (second && rounds.asked.size && !equalJson(rounds.left, request.object)) changeSeen(rounds)
      for (const [index, hook] of deps.hooks().entries()) {
        if (second && !rounds.again.has(hook.uid)) continue
        const invocation = await matchHook(deps, hook, index, request)
        if (!invocation) continue
        if (await ask(invocation, request)) {
          changeSeen(rounds)
          request.changed = true
        }
        if (hook.reinvoked) rounds.asked.add(hook.uid)
      }
      if (!second && rounds.asked.size) rounds.left = cloneJson(request.object)
    },
  }
}
