import type { Kind } from '../../../api/machinery/kind.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { KindSource } from '../matching/equivalents.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { isExempt } from '../webhooks/match-hook.ts'

/** What policies need of the server. */
export interface PolicyDeps {
  readonly kinds: KindSource
  readonly namespaces: KindReader
  readonly policies: KindReader
  readonly bindings: KindReader
  readonly authorize: Authorizer
  kindOf(apiVersion: string, kind: string): Kind | undefined
  reader(kind: Kind): KindReader
}

/** The plugin of one kind of policy. CEL is loaded when the first binding is there. */
function lazyPlugin(
  name: string,
  { bindings }: PolicyDeps,
  verb: 'mutate' | 'validate',
  load: () => Promise<AdmissionPlugin>,
): AdmissionPlugin {
  let bound: boolean | undefined
  bindings.onChange(() => {
    bound = undefined
  })
  let loading: Promise<AdmissionPlugin> | undefined
  let plugin: AdmissionPlugin | undefined
  return {
    name,
    handles: request => {
      bound ??= bindings.list().length > 0
      return bound && !isExempt(request) && (plugin?.handles(request) ?? true)
    },
    async [verb](request: Parameters<NonNullable<AdmissionPlugin['validate']>>[0]) {
      loading ??= load()
      plugin = await loading
      if (plugin.handles(request)) await plugin[verb]?.(request)
    },
  }
}

/** ValidatingAdmissionPolicy. */
export const validatingAdmissionPolicy = (deps: PolicyDeps): AdmissionPlugin =>
  lazyPlugin('ValidatingAdmissionPolicy', deps, 'validate', async () => {
    const { openValidatingPolicies } = await import('./open-policies.ts')
    return openValidatingPolicies(deps)
  })

/** MutatingAdmissionPolicy. */
export const mutatingAdmissionPolicy = (deps: PolicyDeps): AdmissionPlugin =>
  lazyPlugin('MutatingAdmissionPolicy', deps, 'mutate', async () => {
    const { openMutatingPolicies } = await import('./open-policies.ts')
    return openMutatingPolicies(deps)
  })
