import type { CustomResourceDefinition as Type } from '../../generated/types/apiextensions-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { createdAtColumns } from '../columns.ts'

/** apiextensions/v1 CustomResourceDefinition. */
export type CustomResourceDefinition = Type

export const CustomResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  status: true,
  generation: true,
  defaults(definition) {
    const { spec } = definition
    if (!spec?.names) return
    spec.conversion ??= { strategy: 'None' }
    spec.names.singular ||= spec.names.kind?.toLowerCase() ?? ''
    spec.names.listKind ||= spec.names.kind ? `${spec.names.kind}List` : ''
    const client = spec.conversion.webhook?.clientConfig?.service
    if (client) client.port ??= 443
  },
  prepareCreate(definition) {
    definition.status = {}
  },
  columns: createdAtColumns,
})
