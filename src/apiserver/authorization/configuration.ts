/** apiserver.config.k8s.io AuthorizationConfiguration (KEP-3221): which authorizers decide, in which order. */
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../../api/machinery/field-error.ts'
import { isDns1123Subdomain } from '../../api/machinery/names.ts'
import { formatDuration, parseDuration } from '../../api/machinery/time.ts'
import { readConfiguration, type Shape } from '../configuration/read.ts'

export interface WebhookConfiguration {
  readonly timeout?: string
  readonly authorizedTTL?: string
  readonly cacheAuthorizedRequests?: boolean
  readonly unauthorizedTTL?: string
  readonly cacheUnauthorizedRequests?: boolean
  readonly subjectAccessReviewVersion?: string
  readonly matchConditionSubjectAccessReviewVersion?: string
  readonly failurePolicy?: string
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string }
  readonly matchConditions?: readonly { readonly expression?: string }[]
}

export interface AuthorizationConfiguration {
  readonly authorizers?: readonly {
    readonly type?: string
    readonly name?: string
    readonly webhook?: WebhookConfiguration
  }[]
}

const text = 'string'
const flag = 'boolean'
const SHAPE: Shape = {
  authorizers: [
    {
      type: text,
      name: text,
      webhook: {
        timeout: text,
        authorizedTTL: text,
        cacheAuthorizedRequests: flag,
        unauthorizedTTL: text,
        cacheUnauthorizedRequests: flag,
        subjectAccessReviewVersion: text,
        matchConditionSubjectAccessReviewVersion: text,
        failurePolicy: text,
        connectionInfo: { type: text, kubeConfigFile: text },
        matchConditions: [{ expression: text }],
      },
    },
  ],
}

const TYPES = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook']
const MAX_CONDITIONS = 64
const MAX_TIMEOUT_MS = 30_000

/** Reads the text of a file, YAML or JSON. Rejects with an Error that names the field for what does not belong there. */
export const readAuthorizationConfiguration = (file: string): Promise<AuthorizationConfiguration> =>
  readConfiguration<AuthorizationConfiguration>(file, 'AuthorizationConfiguration', SHAPE)

function checkDuration(value: string | undefined, at: string, most: number, errors: FieldError[]): void {
  if (!value) return void errors.push(required(at))
  let ms: number
  try {
    ms = parseDuration(value)
  } catch (error) {
    return void errors.push(invalid(at, value, (error as Error).message))
  }
  if (ms === 0) errors.push(required(at))
  else if (ms < 0 || ms > most)
    errors.push(
      invalid(at, formatDuration(ms), most === Number.POSITIVE_INFINITY ? 'must be > 0s' : 'must be > 0s and <= 30s'),
    )
}

function checkOneOf(value: string | undefined, at: string, values: readonly string[], errors: FieldError[]): void {
  if (!value) errors.push(required(at))
  else if (!values.includes(value)) errors.push(notSupported(at, value, values))
}

function checkConnection({ connectionInfo = {} }: WebhookConfiguration, at: string, errors: FieldError[]): void {
  const { type, kubeConfigFile } = connectionInfo
  // There is no other way here: the webhook of a cluster that lives in this process would ask itself.
  checkOneOf(type, `${at}.type`, ['KubeConfigFile'], errors)
  if (type !== 'KubeConfigFile') return
  if (!kubeConfigFile) errors.push(required(`${at}.kubeConfigFile`))
  else if (!kubeConfigFile.startsWith('/'))
    errors.push(invalid(`${at}.kubeConfigFile`, kubeConfigFile, 'must be an absolute path'))
}

function checkConditions(webhook: WebhookConfiguration, at: string, errors: FieldError[]): void {
  const { matchConditions = [], matchConditionSubjectAccessReviewVersion: version } = webhook
  const field = `${at}.matchConditionSubjectAccessReviewVersion`
  if (version && version !== 'v1') errors.push(notSupported(field, version, ['v1']))
  if (!version && matchConditions.length) errors.push(required(field, 'required if match conditions are specified'))
  if (matchConditions.length > MAX_CONDITIONS)
    return void errors.push(tooMany(`${at}.matchConditions`, matchConditions.length, MAX_CONDITIONS))
  for (const [i, { expression }] of matchConditions.entries()) {
    const path = `${at}.matchConditions[${i}].expression`
    if (!expression?.trim()) errors.push(required(path))
    else if (matchConditions.findIndex(each => each.expression === expression) < i)
      errors.push(duplicate(path, expression))
  }
}

function checkWebhook(webhook: WebhookConfiguration, at: string, errors: FieldError[]): void {
  checkDuration(webhook.timeout, `${at}.timeout`, MAX_TIMEOUT_MS, errors)
  checkDuration(webhook.authorizedTTL, `${at}.authorizedTTL`, Number.POSITIVE_INFINITY, errors)
  checkDuration(webhook.unauthorizedTTL, `${at}.unauthorizedTTL`, Number.POSITIVE_INFINITY, errors)
  checkOneOf(webhook.subjectAccessReviewVersion, `${at}.subjectAccessReviewVersion`, ['v1', 'v1beta1'], errors)
  checkOneOf(webhook.failurePolicy, `${at}.failurePolicy`, ['NoOpinion', 'Deny'], errors)
  checkConnection(webhook, `${at}.connectionInfo`, errors)
  checkConditions(webhook, at, errors)
}

/** What is wrong with a configuration, its expressions left aside. */
export function checkConfiguration({ authorizers = [] }: AuthorizationConfiguration): FieldError[] {
  const errors: FieldError[] = []
  if (!authorizers.length) errors.push(required('authorizers', 'at least one authorization mode must be defined'))
  for (const [i, { type, name, webhook }] of authorizers.entries()) {
    const at = `authorizers[${i}]`
    const known = errors.length
    checkOneOf(type, `${at}.type`, TYPES, errors)
    if (errors.length > known) continue
    if (type !== 'Webhook' && authorizers.findIndex(each => each.type === type) < i) {
      errors.push(duplicate(`${at}.type`, type))
      continue
    }
    if (!name) errors.push(required(`${at}.name`))
    else if (authorizers.findIndex(each => each.name === name) < i) errors.push(duplicate(`${at}.name`, name))
    else if (isDns1123Subdomain(name).length)
      errors.push(invalid(`${at}.name`, name, `authorizer name is invalid: ${isDns1123Subdomain(name).join(', ')}`))
    if (type !== 'Webhook') {
      if (webhook) errors.push(invalid(`${at}.webhook`, 'non-null', 'may only be specified when type=Webhook'))
    } else if (!webhook) errors.push(required(`${at}.webhook`, 'required when type=Webhook'))
    else checkWebhook(webhook, at, errors)
  }
  return errors
}
