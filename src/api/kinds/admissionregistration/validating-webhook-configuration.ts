import type { ValidatingWebhookConfiguration as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { loadPolicyRules } from '../../policies/load-rules.ts'
import { ageColumn, count, nameColumn } from '../columns.ts'
import { defaultWebhook } from './webhook.defaults.ts'
import { webhookConfigurationRule } from './webhook.rules.ts'

/** admissionregistration/v1 ValidatingWebhookConfiguration. */
export type ValidatingWebhookConfiguration = Type

export const ValidatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  singular: 'validatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  generation: true,
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) defaultWebhook(webhook)
  },
  load: loadPolicyRules,
  rules: [webhookConfigurationRule],
  columns: [nameColumn, count('Webhooks', ({ webhooks }) => webhooks?.length), ageColumn],
})
