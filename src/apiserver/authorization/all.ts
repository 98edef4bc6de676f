/** The authorizers of a server in their order: privileged users first, whatever is configured. */
import { parseDuration } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Follow } from '../configuration/follow.ts'
import type { Authorizer } from './authorizer.ts'
import { firstOf, privilegedGroup } from './authorizers.ts'
import { type AuthorizationConfiguration, checkConfiguration, type WebhookConfiguration } from './configuration.ts'

export interface AuthorizationDeps {
  readonly clock: Clock
  readonly node: Authorizer
  readonly rbac: Authorizer
  /** Default: the node authorizer, then RBAC. */
  readonly configuration?: AuthorizationConfiguration
  /** Later forms of `configuration`. */
  readonly follow?: Follow<AuthorizationConfiguration>
}

export interface Authorization {
  readonly authorize: Authorizer
  close(): void
}

function refuse(faults: readonly string[]): void {
  if (faults.length) throw new Error(`the authorization configuration is wrong: ${faults.join(', ')}`)
}

/** The conditions of a webhook; undefined where it has none. */
async function matchOf({ matchConditions = [] }: WebhookConfiguration, at: string) {
  if (!matchConditions.length) return undefined
  const { compileMatchConditions } = await import('./match-conditions.ts')
  const { match, errors } = compileMatchConditions(matchConditions.map(({ expression = '' }) => expression))
  refuse([...errors].map(([i, message]) => `${at}.matchConditions[${i}].expression: ${message}`))
  return match
}

async function openWebhookAuthorizer(webhook: WebhookConfiguration, at: string, clock: Clock): Promise<Authorizer> {
  const [{ openWebhook }, { webhookAuthorizer }, match] = await Promise.all([
    import('../webhooks/connection.ts'),
    import('./webhook.ts'),
    matchOf(webhook, at),
  ])
  return webhookAuthorizer({
    endpoint: await openWebhook(webhook.connectionInfo?.kubeConfigFile ?? '', clock),
    clock,
    timeoutMs: parseDuration(webhook.timeout ?? ''),
    authorizedMs: webhook.cacheAuthorizedRequests === false ? 0 : parseDuration(webhook.authorizedTTL ?? ''),
    unauthorizedMs: webhook.cacheUnauthorizedRequests === false ? 0 : parseDuration(webhook.unauthorizedTTL ?? ''),
    version: webhook.subjectAccessReviewVersion === 'v1beta1' ? 'v1beta1' : 'v1',
    failurePolicy: webhook.failurePolicy === 'Deny' ? 'Deny' : 'NoOpinion',
    ...(match && { match }),
  })
}

/** Makes the authorizer of a server. Rejects with an Error that says what is wrong with the configuration. */
export async function createAuthorization(deps: AuthorizationDeps): Promise<Authorization> {
  const { node, rbac, configuration, follow } = deps
  if (!configuration) return { authorize: firstOf(privilegedGroup, node, rbac), close() {} }
  let current = await authorizerOf(configuration, deps)
  const end = follow?.(async next => {
    current = await authorizerOf(next, deps)
  })
  return { authorize: attributes => current(attributes), close: () => end?.() }
}

async function authorizerOf(
  configuration: AuthorizationConfiguration,
  { clock, node, rbac }: AuthorizationDeps,
): Promise<Authorizer> {
  refuse(checkConfiguration(configuration).map(({ field, message }) => `${field}: ${message}`))
  const chosen = (configuration.authorizers ?? []).map(async ({ type, webhook }, i): Promise<Authorizer> => {
    if (type === 'Webhook') return openWebhookAuthorizer(webhook ?? {}, `authorizers[${i}]`, clock)
    if (type === 'Node') return node
    if (type === 'RBAC') return rbac
    const decision = type === 'AlwaysAllow' ? { allowed: true } : { allowed: false, reason: 'Everything is forbidden.' }
    return () => decision
  })
  return firstOf(privilegedGroup, ...(await Promise.all(chosen)))
}
