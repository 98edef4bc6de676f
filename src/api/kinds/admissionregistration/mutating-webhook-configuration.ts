import type { MutatingWebhookConfiguration as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { loadPolicyRules } from '../../policies/load-rules.ts'
import { ageColumn, count, nameColumn } from '../columns.ts'
import { defaultMutatingWebhook } from './webhook.defaults.ts'
import { webhookConfigurationRule } from './webhook.rules.ts'

/** admissionregistration/v1 MutatingWebhookConfiguration. */
export type MutatingWebhookConfiguration = Type

export const MutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  generation: true,
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) defaultMutatingWebhook(webhook)
  },
  load: loadPolicyRules,
  rules: [webhookConfigurationRule],
  columns: [nameColumn, count('Webhooks', ({ webhooks }) => webhooks?.length), ageColumn],
})
