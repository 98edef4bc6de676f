import type { MutatingWebhookConfiguration as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

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
  columns: [nameColumn, ageColumn],
})
