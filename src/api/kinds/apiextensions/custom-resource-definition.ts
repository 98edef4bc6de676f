import type { CustomResourceDefinition as Type } from '../../generated/types/apiextensions-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { createdAtColumns } from '../columns.ts'

/** apiextensions/v1 CustomResourceDefinition. */
export type CustomResourceDefinition = Type

/** Every version in which objects may be stored stands in the status, until someone has moved them and says so. */
function noteStorageVersion({ spec, status }: CustomResourceDefinition) {
  const stored = spec?.versions?.find(each => each.storage)?.name
  if (!status || stored === undefined || status.storedVersions?.includes(stored)) return
  status.storedVersions = [...(status.storedVersions ?? []), stored]
}

const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** A definition goes after its instances. */
function waitForInstances(definition: CustomResourceDefinition, now: number): CustomResourceDefinition {
  const { metadata, status } = definition
  const finalizers = [...new Set([...(metadata?.finalizers ?? []), CLEANUP])]
  const condition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: rfc3339(now),
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  const conditions = [...(status?.conditions ?? []).filter(each => each.type !== 'Terminating'), condition]
  return {
    ...definition,
    metadata: { ...metadata, deletionTimestamp: rfc3339(now), finalizers },
    status: { ...status, conditions },
  }
}

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
    // As it is shown until the names are settled.
    definition.status = { conditions: null!, acceptedNames: { plural: '', kind: '' } }
    noteStorageVersion(definition)
  },
  prepareUpdate(definition) {
    noteStorageVersion(definition)
  },
  beginDeletion: waitForInstances,
  columns: createdAtColumns,
})
