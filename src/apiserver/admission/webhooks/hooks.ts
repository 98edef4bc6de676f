/** The webhooks of all configurations of a kind, in the order in which they are asked, compiled once per revision. */
import type { Encoded } from '../../../api/machinery/encoded.ts'
import { type Selector, selectorFromLabelSelector } from '../../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { KindReader } from '../../registry/registry.ts'
import { WebhookCallError, type WebhookCaller, type WebhookEndpoint } from '../../webhooks/call.ts'
import type { Rule } from '../matching/rules.ts'
import type { ConditionMatcher, MatchCondition } from './condition-matcher.ts'

interface Webhook {
  name: string
  clientConfig: {
    url?: string
    caBundle?: string
    service?: { namespace: string; name: string; path?: string; port?: number }
  }
  rules?: Rule[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: object
  objectSelector?: object
  matchConditions?: MatchCondition[]
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  reinvocationPolicy?: string
}

interface Configuration extends KubeObject {
  webhooks?: Webhook[]
}

/** One webhook, compiled. */
export interface Hook {
  /** Unique among hooks. */
  readonly uid: string
  readonly name: string
  readonly configuration: string
  readonly rules: readonly Rule[]
  readonly equivalent: boolean
  readonly namespaceSelector: Selector
  readonly objectSelector: Selector
  readonly ignoresFailure: boolean
  /** May be called for a dry run. */
  readonly dryRunSafe: boolean
  readonly timeoutMs: number
  readonly versions: readonly string[]
  readonly reinvoked: boolean
  readonly conditions: readonly MatchCondition[]
  /** Made when first called: a bad address fails the call, not the configuration. */
  endpoint(): WebhookEndpoint
  /** Made when first asked for. */
  matcher(): ConditionMatcher | undefined
}

export interface HookDeps {
  readonly caller: WebhookCaller
  /** Compiles match conditions. */
  compile(conditions: readonly MatchCondition[], ignoresFailure: boolean): ConditionMatcher
}

/** The value of `make`, made once. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function compileHook(webhook: Webhook, configuration: string, at: number, deps: HookDeps): Hook {
  const { name, clientConfig, matchConditions = [] } = webhook
  const ignoresFailure = webhook.failurePolicy === 'Ignore'
  return {
    uid: `${configuration}/${name}/${at}`,
    name,
    configuration,
    rules: webhook.rules ?? [],
    equivalent: webhook.matchPolicy !== 'Exact',
    namespaceSelector: selectorFromLabelSelector(webhook.namespaceSelector ?? {}),
    objectSelector: selectorFromLabelSelector(webhook.objectSelector ?? {}),
    ignoresFailure,
    dryRunSafe: webhook.sideEffects === 'None' || webhook.sideEffects === 'NoneOnDryRun',
    timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
    versions: webhook.admissionReviewVersions ?? [],
    reinvoked: webhook.reinvocationPolicy === 'IfNeeded',
    conditions: matchConditions,
    endpoint: once(() => {
      if (!clientConfig.service && !clientConfig.url)
        throw new WebhookCallError('webhook configuration must have either service or URL')
      return deps.caller.endpoint(clientConfig)
    }),
    matcher: once(() => (matchConditions.length ? deps.compile(matchConditions, ignoresFailure) : undefined)),
  }
}

/** Gives the hooks as they are now. Nothing is looked at before a configuration changes again. */
export function liveHooks(configurations: KindReader, deps: HookDeps): () => readonly Hook[] {
  const compiled = new WeakMap<Encoded, readonly Hook[]>()
  let current: readonly Hook[] | undefined
  configurations.onChange(() => {
    current = undefined
  })
  const hooksOf = (stored: Encoded) => {
    let hooks = compiled.get(stored)
    if (!hooks) {
      const { metadata, webhooks = [] } = stored.value as Configuration
      hooks = webhooks.map((webhook, at) => compileHook(webhook, metadata?.name ?? '', at, deps))
      compiled.set(stored, hooks)
    }
    return hooks
  }
  // The reader lists by name, which is upstream's order of configurations.
  return () => (current ??= configurations.list().flatMap(hooksOf))
}
