import { usableFormat } from '../../custom/formats.ts'
import { type JsonSchema, someSchema } from '../../custom/json-schema.ts'
import type { CustomResourceDefinition as Type } from '../../generated/types/apiextensions-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { createdAtColumns } from '../columns.ts'
import { definitionErrors } from './definition.validate.ts'

/** apiextensions/v1 CustomResourceDefinition. */
export type CustomResourceDefinition = Type

/** Every version in which objects may be stored stands in the status, until someone has moved them and says so. */
function noteStorageVersion(definition: CustomResourceDefinition) {
  const { spec, status } = definition
  const stored = spec?.versions?.find(each => each.storage)?.name
  if (!status || stored === undefined || status.storedVersions?.includes(stored)) return
  // What was said of the stored one may be the same object.
  definition.status = { ...status, storedVersions: [...(status.storedVersions ?? []), stored] }
}

/** Formats that nobody checks, once for each place where they stand. */
function unknownFormats({ spec }: CustomResourceDefinition): string[] {
  const found: string[] = []
  const note = (schema: JsonSchema) => {
    if (schema.format && !usableFormat([schema.type ?? ''], schema.format)) found.push(schema.format)
    return false
  }
  const schemas = (spec?.versions ?? []).map(each => each.schema?.openAPIV3Schema as JsonSchema | undefined)
  const distinct = schemas.every(each => equalJson(each ?? null, schemas[0] ?? null)) ? schemas.slice(0, 1) : schemas
  for (const schema of distinct) someSchema(schema, note)
  return found
}

function formatWarnings(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): string[] {
  const known = new Set(old && unknownFormats(old))
  return unknownFormats(definition)
    .filter(format => !known.has(format))
    .map(format => `unrecognized format ${JSON.stringify(format)}`)
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
  rules: [definitionErrors],
  warnings: (definition, old) => formatWarnings(definition, old),
  beginDeletion: waitForInstances,
  columns: createdAtColumns,
})
