/** Rules of webhook configurations (k8s.io/kubernetes `pkg/apis/admissionregistration/validation`). */
import type { MutatingWebhook, ValidatingWebhook } from '../../generated/types/admissionregistration-v1.ts'
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../machinery/names.ts'
import { policyRules } from '../../policies/load-rules.ts'
import { checkWebhookService, checkWebhookUrl } from '../apiextensions/client-config.validate.ts'
import { type Errors, sameValue } from '../rules.ts'
import { operationsRuleErrors } from './match.rules.ts'

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>

/** A configuration of either kind, as far as its rules read it. */
export interface WebhookConfiguration {
  readonly webhooks?: readonly Webhook[]
}

/** What an update need not mend, as the stored object has it already. */
interface Leniency {
  readonly sideEffects: boolean
  readonly versions: boolean
  readonly names: boolean
  readonly selectors: boolean
  readonly conditions: boolean
}

const REVIEW_VERSIONS = ['v1', 'v1beta1']
const HARMLESS = ['None', 'NoneOnDryRun']
const SIDE_EFFECTS = [...HARMLESS, 'Some', 'Unknown']
/** Optional fields with a fixed set of values. */
const CHOICES = {
  failurePolicy: ['Fail', 'Ignore'],
  matchPolicy: ['Equivalent', 'Exact'],
  reinvocationPolicy: ['IfNeeded', 'Never'],
} as const

const isReviewed = (versions: readonly string[]) => versions.some(each => REVIEW_VERSIONS.includes(each))
const isHarmless = ({ sideEffects }: Webhook) => HARMLESS.includes(sideEffects ?? '')

const selectorErrors = ({ namespaceSelector, objectSelector }: Webhook, path: string): FieldError[] => [
  ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`),
  ...validateLabelSelector(objectSelector, `${path}.objectSelector`),
]

function leniencyOf(next: readonly Webhook[], old: readonly Webhook[] | undefined): Leniency {
  if (!old) return { sideEffects: false, versions: false, names: false, selectors: false, conditions: false }
  return {
    sideEffects: !old.every(isHarmless),
    versions: old.some(({ admissionReviewVersions: list = [] }) => list.length > 0 && !isReviewed(list)),
    names: new Set(old.map(({ name }) => name)).size < old.length,
    selectors: old.some(each => selectorErrors(each, '').length > 0),
    conditions:
      next.length === old.length &&
      old.every(({ matchConditions }, index) => sameValue(matchConditions, next[index]?.matchConditions)),
  }
}

function nameErrors(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const details = isDns1123Subdomain(name)
  if (details.length > 0) return [invalid(path, name, details.join(','))]
  if (name.split('.').length >= 3) return []
  return [invalid(path, name, 'should be a domain with at least three segments separated by dots')]
}

function sideEffectErrors(value: string | undefined, lenient: boolean, path: string): FieldError[] {
  const allowed = lenient ? SIDE_EFFECTS : HARMLESS
  if (value === undefined) return [required(path, `must specify one of ${allowed.join(', ')}`)]
  return allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}

function clientErrors(client: Webhook['clientConfig'] | undefined, path: string): FieldError[] {
  const { url, service } = client ?? {}
  const errors: Errors = []
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  } else if (url !== undefined) checkWebhookUrl(url, `${path}.url`, errors)
  else if (service) checkWebhookService(service, `${path}.service`, errors)
  return errors
}

function versionErrors(versions: readonly string[], lenient: boolean, path: string): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)]
  const errors = versions.flatMap((version, index) => {
    const at = `${path}[${index}]`
    if (versions.indexOf(version) < index) return [invalid(at, version, 'duplicate version')]
    return isDns1035Label(version).map(detail => invalid(at, version, detail))
  })
  if (lenient || isReviewed(versions)) return errors
  return [...errors, invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`)]
}

const choiceErrors = (webhook: Webhook, field: keyof typeof CHOICES, path: string): FieldError[] => {
  const value = webhook[field]
  const allowed: readonly string[] = CHOICES[field]
  return value === undefined || allowed.includes(value) ? [] : [notSupported(`${path}.${field}`, value, allowed)]
}

function webhookErrors(webhook: Webhook, lenient: Leniency, path: string): FieldError[] {
  const { name = '', rules = [], timeoutSeconds: timeout = 10 } = webhook
  return [
    ...nameErrors(name, `${path}.name`),
    ...rules.flatMap((rule, index) => operationsRuleErrors(rule, `${path}.rules[${index}]`)),
    ...choiceErrors(webhook, 'failurePolicy', path),
    ...choiceErrors(webhook, 'matchPolicy', path),
    ...sideEffectErrors(webhook.sideEffects, lenient.sideEffects, `${path}.sideEffects`),
    ...(timeout < 1 || timeout > 30
      ? [invalid(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...(lenient.selectors ? [] : selectorErrors(webhook, path)),
    ...choiceErrors(webhook, 'reinvocationPolicy', path),
    ...clientErrors(webhook.clientConfig, `${path}.clientConfig`),
    ...(lenient.conditions
      ? []
      : policyRules().matchConditionsErrors(webhook.matchConditions, `${path}.matchConditions`)),
    ...versionErrors(webhook.admissionReviewVersions ?? [], lenient.versions, `${path}.admissionReviewVersions`),
  ]
}

/** The rules of a webhook configuration of either kind; the rules of policies must be loaded (load-rules.ts). */
export function webhookConfigurationRule(
  { webhooks = [] }: WebhookConfiguration,
  old: WebhookConfiguration | undefined,
): FieldError[] {
  const lenient = leniencyOf(webhooks, old && (old.webhooks ?? []))
  const names = new Set<string>()
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`
    const errors = webhookErrors(webhook, lenient, path)
    const { name = '' } = webhook
    if (!lenient.names && name !== '' && names.has(name)) errors.push(duplicate(`${path}.name`, name))
    names.add(name)
    return errors
  })
}
