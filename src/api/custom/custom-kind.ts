/**
 * From a CustomResourceDefinition to the kinds that it defines, one for each served version: the same value as a
 * built-in kind (DESIGN D1). A pure function; nothing of a schema is compiled before an object of the kind is touched.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../generated/types/apiextensions-v1.ts'
import type { FieldError } from '../machinery/field-error.ts'
import { defineKind, type Kind, type KindSpec, type Verb } from '../machinery/kind.ts'
import type { KubeObject } from '../machinery/object.ts'
import { applySchema } from './apply-schema.ts'
import { columnsOf } from './columns.ts'
import { type AskConverter, createConversion } from './conversion.ts'
import { applyDefaults } from './defaulting.ts'
import { finalizerWarnings } from './finalizers.ts'
import { parseJsonPath } from './json-path.ts'
import { coerceEmbedded, coerceMetadata } from './object-meta.ts'
import { publishSchema } from './open-api.ts'
import { pruneNulls, pruneUnknown } from './prune.ts'
import { createErrors, updateErrors } from './resource-errors.ts'
import { type VersionSchema, versionSchema } from './version-schema.ts'
import { compareVersions } from './versions.ts'

type Json = Record<string, unknown>

const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

export interface CustomKindOptions {
  /** Objects written after this revision have the form that the definition now asks for. */
  readonly since: number
  /** Asks the definition's webhook to convert; without it only the apiVersion is changed. */
  readonly ask?: AskConverter
}

/** Whether a condition of a definition is true. */
export const hasCondition = (definition: CustomResourceDefinition, type: string) =>
  definition.status?.conditions?.some(each => each.type === type && each.status === 'True') ?? false

/** The version in which objects are stored. */
export const storageVersionOf = (definition: CustomResourceDefinition) =>
  definition.spec.versions.find(each => each.storage)?.name ?? ''

/** The kinds of a definition whose names were accepted, the preferred version first. */
export function customKinds(definition: CustomResourceDefinition, options: CustomKindOptions): Kind[] {
  const { versions } = definition.spec
  const schemas = new Map(versions.map(each => [each.name, versionSchema(each)]))
  const served = versions.filter(each => each.served).sort((a, b) => compareVersions(a.name, b.name))
  return served.map(version => makeKind(definition, version, schemas, options))
}

/** The kind of a definition at the version in which its objects are stored, served or not: nothing is converted. */
export function storedKind(definition: CustomResourceDefinition, options: CustomKindOptions): Kind | undefined {
  const { versions } = definition.spec
  const schemas = new Map(versions.map(each => [each.name, versionSchema(each)]))
  const version = versions.find(each => each.storage)
  return version && makeKind(definition, version, schemas, options)
}

/** Brings a decoded object into the structure of a version, in place. */
function structure(schema: VersionSchema, object: KubeObject) {
  const meta = coerceMetadata(object as Json, '')
  if (meta.error) return { error: meta.error, unknown: [] }
  const { root } = schema
  const pruned = pruneUnknown(object, root, true)
  pruneNulls(object, root)
  const embedded = coerceEmbedded(object, root)
  if (embedded.error) return { error: embedded.error, unknown: [] }
  return { unknown: [...meta.unknown, ...pruned, ...embedded.unknown] }
}

function selectableOf(version: CustomResourceDefinitionVersion) {
  const entries = (version.selectableFields ?? []).map(({ jsonPath }) => {
    const path = parseJsonPath(jsonPath)
    const read = (object: KubeObject) => {
      const value = path?.find(object)[0]
      return value === undefined || value === null ? '' : String(value)
    }
    return [jsonPath.replace(/^\./, ''), read] as const
  })
  return Object.fromEntries(entries)
}

function deprecationOf(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion) {
  if (!version.deprecated) return undefined
  if (version.deprecationWarning !== undefined) return version.deprecationWarning
  const { group, names, versions } = definition.spec
  const better = versions
    .filter(each => each.served && !each.deprecated && compareVersions(each.name, version.name) < 0)
    .sort((a, b) => compareVersions(a.name, b.name))[0]
  const instead = better ? `; use ${group}/${better.name} ${names.kind}` : ''
  return `${group}/${version.name} ${names.kind} is deprecated${instead}`
}

function makeKind(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  schemas: ReadonlyMap<string, VersionSchema>,
  options: CustomKindOptions,
): Kind {
  const { group, scope } = definition.spec
  const names = definition.status?.acceptedNames ?? definition.spec.names
  const { status, scale } = version.subresources ?? {}
  const schema = schemas.get(version.name)!
  const selectable = selectableOf(version)
  const terminating = hasCondition(definition, 'Terminating')
  const deprecation = deprecationOf(definition, version)
  const of = { group, version: version.name, kind: names.kind, selectable: Object.keys(selectable) }
  let forApply: ReturnType<typeof applySchema> | undefined
  const spec: KindSpec = {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? '',
    ...(names.shortNames && { shortNames: names.shortNames }),
    ...(names.categories && { categories: names.categories }),
    namespaced: scope === 'Namespaced',
    verbs: VERBS,
    get schema() {
      return (forApply ??= applySchema(schema.source))
    },
    ...(status && { status: true }),
    ...(scale && {
      scale: {
        specReplicas: scale.specReplicasPath,
        statusReplicas: scale.statusReplicasPath,
        ...(scale.labelSelectorPath && { selector: scale.labelSelectorPath }),
      },
    }),
    generation: true,
    defaults: object => applyDefaults(object, schema.root),
    rules: [
      (next, old, context): FieldError[] => {
        const errors = old ? updateErrors : createErrors
        const { subresource, warn } = context
        return errors({ next, old: old!, schema, scale, subresource, warn })
      },
    ],
    ...(deprecation !== undefined && { deprecation }),
    warnings: finalizerWarnings,
    selectable,
    columns: columnsOf(version.additionalPrinterColumns),
    custom: {
      definition: definition.metadata?.name ?? '',
      terminating,
      storedAs: storageVersionOf(definition),
      conversion: createConversion({ definition, version: version.name, schemas, ...options }),
      structure: object => structure(schema, object),
      load: schema.load,
      openApi: target => publishSchema(schema.source, of, target),
      fingerprint: `${definition.metadata?.uid ?? ''}/${definition.metadata?.generation ?? 0}/${terminating}`,
    },
  }
  return defineKind(spec)
}
