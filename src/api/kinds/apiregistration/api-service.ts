import type { APIService as Type } from '../../generated/types/apiregistration-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** apiregistration/v1 APIService. */
export type APIService = Type

export const APIService = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  status: true,
  nameFormat: 'path',
  columns: [nameColumn, ageColumn],
})
