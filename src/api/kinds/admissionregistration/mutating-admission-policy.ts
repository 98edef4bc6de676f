import type { MutatingAdmissionPolicy as Type } from '../../generated/types/admissionregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** admissionregistration/v1 MutatingAdmissionPolicy. */
export type MutatingAdmissionPolicy = Type

export const MutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  singular: 'mutatingadmissionpolicy',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
  generation: true,
  columns: [nameColumn, ageColumn],
})
