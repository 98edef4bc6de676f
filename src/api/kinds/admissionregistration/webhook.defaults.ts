/** Defaults of webhooks and admission policies (k8s.io/kubernetes `pkg/apis/admissionregistration/v1/defaults.go`). */
import type {
  MatchResources,
  MutatingWebhook,
  ParamKind,
  ParamRef,
  ValidatingWebhook,
} from '../../generated/types/admissionregistration-v1.ts'
import { selectorText } from '../columns.ts'

export function defaultWebhook(webhook: ValidatingWebhook | MutatingWebhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
}

export function defaultMutatingWebhook(webhook: MutatingWebhook): void {
  defaultWebhook(webhook)
  webhook.reinvocationPolicy ??= 'Never'
}

export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

/** What the two kinds of policies have in common. */
interface PolicySpec {
  failurePolicy?: string
  matchConstraints?: MatchResources
}

export function defaultPolicy(spec: PolicySpec | undefined): void {
  if (!spec) return
  spec.failurePolicy ??= 'Fail'
  defaultMatchResources(spec.matchConstraints)
}

/** The kind of a policy's parameters as a table cell. */
export const formatParamKind = (kind: ParamKind | undefined): string =>
  kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>'

/** The parameters of a policy binding as a table cell. */
export function formatParamRef(reference: ParamRef | undefined): string {
  if (reference?.name) return `${reference.namespace || '*'}/${reference.name}`
  return reference?.selector ? selectorText(reference.selector) : '<unset>'
}
