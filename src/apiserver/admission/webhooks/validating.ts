import type { Logger } from '../../../lib/log.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { callHook, HookFailure, shownError } from './call-hook.ts'
import type { Hook } from './hooks.ts'
import { type Invocation, isExempt, type MatchDeps, matchHook } from './match-hook.ts'

export interface WebhookPluginDeps extends MatchDeps {
  hooks(): readonly Hook[]
  uuid(): string
  readonly logger: Logger
}

const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/'

/** ValidatingAdmissionWebhook: webhooks that judge, all at once; the first that refuses is heard. */
export function validatingWebhooks(deps: WebhookPluginDeps): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: request => deps.hooks().length > 0 && !isExempt(request),
    async validate(request) {
      const invocations: Invocation[] = []
      const hooks = deps.hooks()
      for (const [index, hook] of hooks.entries()) {
        const invocation = await matchHook(deps, hook, index, request)
        if (invocation) invocations.push(invocation)
      }
      const refusals: unknown[] = []
      const ask = async (invocation: Invocation, index: number) => {
        const { hook } = invocation
        try {
          await callHook(invocation, request, false, deps.uuid())
        } catch (error) {
          if (!(error instanceof HookFailure && hook.ignoresFailure)) return refusals.push(error)
          deps.logger.warn({ err: error, webhook: hook.name }, 'a webhook could not be called: its failure is ignored')
          request.audit(`${FAILED_OPEN}round_0_index_${index}`, hook.name)
        }
      }
      await Promise.all(invocations.map(ask))
      if (refusals.length) throw shownError(refusals[0])
    },
  }
}
