/** How a definition's versions are converted into one another. Paths are those of Kubernetes' internal form. */
import type { CustomResourceConversion, WebhookClientConfig } from '../../generated/types/apiextensions-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import { isDns1035Label } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { checkWebhookService, checkWebhookUrl } from './client-config.validate.ts'

const REVIEW_VERSIONS = ['v1', 'v1beta1']

function checkReviewVersions(versions: readonly string[], path: string, errors: Errors): void {
  if (!versions.length) {
    errors.push(required(path))
    return
  }
  versions.forEach((version, i) => {
    const at = `${path}[${i}]`
    if (versions.indexOf(version) < i) errors.push(invalid(at, version, 'duplicate version'))
    else for (const problem of isDns1035Label(version)) errors.push(invalid(at, version, problem))
  })
  if (!versions.some(version => REVIEW_VERSIONS.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  }
}

function checkClient({ url, service }: WebhookClientConfig, path: string, errors: Errors): void {
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  } else if (url !== undefined) checkWebhookUrl(url, `${path}.url`, errors)
  else checkWebhookService(service!, `${path}.service`, errors)
}

/** Appends what is wrong. `path` is that of `conversion`. */
export function checkConversion(conversion: CustomResourceConversion | undefined, path: string, errors: Errors): void {
  if (!conversion) return
  const { strategy, webhook } = conversion
  if (!strategy) errors.push(required(`${path}.strategy`))
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(notSupported(`${path}.strategy`, strategy, ['None', 'Webhook']))
  }
  const client = `${path}.webhookClientConfig`
  const versions = `${path}.conversionReviewVersions`
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig) checkClient(webhook.clientConfig, client, errors)
    else errors.push(required(client, 'required when strategy is set to Webhook'))
    checkReviewVersions(webhook?.conversionReviewVersions ?? [], versions, errors)
  } else if (webhook) {
    const detail = 'should not be set when strategy is not set to Webhook'
    if (webhook.clientConfig) errors.push(forbidden(client, detail))
    if (webhook.conversionReviewVersions?.length) errors.push(forbidden(versions, detail))
  }
}
