/**
 * The rules of definitions (k8s.io/apiextensions-apiserver `pkg/apis/apiextensions/validation`). What all versions have
 * in common is told of at the spec itself, where Kubernetes' internal form has it: `spec.validation`, not
 * `spec.versions[0].schema`.
 */

import type { JsonSchema } from '../../custom/json-schema.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../generated/types/apiextensions-v1.ts'
import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { RuleContext } from '../../machinery/kind.ts'
import { equalJson } from '../../machinery/merge-patch.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../machinery/names.ts'
import { checkFormat, type Errors, IMMUTABLE } from '../rules.ts'
import { APPROVED, approvalOf, isProtectedGroup } from './approval.ts'
import { checkConversion } from './conversion.validate.ts'
import { checkNames } from './names.validate.ts'
import {
  checkColumns,
  checkDeprecation,
  checkSelectable,
  checkSubresources,
  checkVersionSchema,
} from './version.validate.ts'

type Definition = CustomResourceDefinition
type Version = CustomResourceDefinitionVersion

const schemaOf = (version: Version) => version.schema?.openAPIV3Schema as JsonSchema | undefined
const hasStatus = (version: Version) => version.subresources?.status !== undefined

/** The rules of a definition, new or changed. */
export function definitionErrors(
  next: Definition,
  old: Definition | undefined,
  { subresource }: RuleContext,
): FieldError[] {
  const errors: Errors = []
  checkNames(next.status?.acceptedNames ?? {}, 'status.acceptedNames', errors)
  if (subresource === 'status') return errors
  if (!old) checkName(next, errors)
  checkSpec(next, old, errors)
  checkStoredVersions(next, errors)
  checkApproval(next, old, errors)
  return errors
}

function checkName({ metadata, spec }: Definition, errors: Errors): void {
  const wanted = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`
  if (!metadata?.name || metadata.name === wanted) return
  errors.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
}

function checkSpec({ spec }: Definition, old: Definition | undefined, errors: Errors): void {
  const { group = '', scope = '', names = { plural: '', kind: '' }, versions = [], conversion } = spec ?? {}
  if (!group) errors.push(required('spec.group'))
  else if (isDns1123Subdomain(group).length) {
    checkFormat([isDns1123Subdomain(group).join(',')], group, 'spec.group', errors)
  } else if (!group.includes('.')) {
    errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'))
  }
  if (!scope) errors.push(required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  }
  checkVersions(spec?.versions, old, errors)
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names[field]) errors.push(required(`spec.names.${field}`))
  }
  checkNames(names, 'spec.names', errors)
  checkShared(versions, old, errors)
  checkConversion(conversion, 'spec.conversion', errors)
  if (spec?.preserveUnknownFields) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    errors.push(invalid('spec.preserveUnknownFields', true, detail))
  }
  if (old) checkImmutable({ spec } as Definition, old, errors)
}

/** What all versions have in common. */
function sharedBy<T>(versions: readonly Version[], read: (version: Version) => T): T | undefined {
  const [first] = versions
  if (!first || !versions.every(each => equalJson(read(each) ?? null, read(first) ?? null))) return undefined
  return read(first)
}

const READ = {
  schema: (version: Version) => version.schema,
  subresources: (version: Version) => version.subresources,
  columns: (version: Version) => version.additionalPrinterColumns,
  selectable: (version: Version) => version.selectableFields,
}

/** More fields than are allowed may stay where they stood before. */
function mayBeMany(version: Version, old: Definition | undefined): boolean {
  const before = old?.spec?.versions?.find(each => each.name === version.name)?.selectableFields
  return before !== undefined && before.length > 8 && equalJson(before, version.selectableFields ?? null)
}

function checkVersions(asked: readonly Version[] | undefined, old: Definition | undefined, errors: Errors): void {
  const versions = asked ?? []
  const shared = {
    schema: sharedBy(versions, READ.schema) !== undefined,
    subresources: sharedBy(versions, READ.subresources) !== undefined,
    columns: sharedBy(versions, READ.columns) !== undefined,
    selectable: sharedBy(versions, READ.selectable) !== undefined,
  }
  versions.forEach((version, i) => {
    const path = `spec.versions[${i}]`
    const schema = schemaOf(version)
    if (!schema) errors.push(required(`${path}.schema.openAPIV3Schema`))
    const problems = isDns1035Label(version.name ?? '')
    if (problems.length) errors.push(invalid(`${path}.name`, version.name ?? '', problems.join(',')))
    checkDeprecation(version, path, errors)
    if (schema && !shared.schema) checkVersionSchema(schema, `${path}.schema`, hasStatus(version), errors)
    if (version.subresources && !shared.subresources) {
      checkSubresources(version.subresources, `${path}.subresources`, errors)
    }
    if (!shared.columns)
      checkColumns(version.additionalPrinterColumns ?? [], `${path}.additionalPrinterColumns`, errors)
    if (!shared.selectable && version.selectableFields?.length) {
      const at = `${path}.selectableFields`
      if (schema && !shared.schema) {
        checkSelectable(version.selectableFields, schema, at, mayBeMany(version, old), errors)
      } else {
        const detail = 'may only be set when `version.schema.openAPIV3Schema` is not included'
        errors.push(invalid(at, '', detail))
      }
    }
  })
  const seen = new Set(versions.map(each => each.name))
  if (seen.size < versions.length) {
    errors.push(invalid('spec.versions', versions, 'must contain unique version names'))
  }
  if (versions.filter(each => each.storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version'
    errors.push(invalid('spec.versions', asked, detail))
  }
}

function checkShared(versions: readonly Version[], old: Definition | undefined, errors: Errors): void {
  const [first] = versions
  if (!first) return
  const problems = isDns1035Label(first.name ?? '')
  if (first.name && problems.length) errors.push(invalid('spec.version', first.name, problems.join(',')))
  const schema = sharedBy(versions, READ.schema)?.openAPIV3Schema as JsonSchema | undefined
  if (schema) checkVersionSchema(schema, 'spec.validation', versions.some(hasStatus), errors)
  const subresources = sharedBy(versions, READ.subresources)
  if (subresources) checkSubresources(subresources, 'spec.subresources', errors)
  checkColumns(sharedBy(versions, READ.columns) ?? [], 'spec.additionalPrinterColumns', errors)
  const fields = sharedBy(versions, READ.selectable)
  if (!fields?.length) return
  const at = 'spec.selectableFields'
  if (schema) checkSelectable(fields, schema, at, mayBeMany(first, old), errors)
  else errors.push(invalid(at, '', 'may only be set when validations.schema is included'))
}

function checkImmutable({ spec }: Definition, old: Definition, errors: Errors): void {
  const established = old.status?.conditions?.some(each => each.type === 'Established' && each.status === 'True')
  const check = (path: string, value = '', before = '') => {
    if (value !== before) errors.push(invalid(path, value, IMMUTABLE))
  }
  if (established) {
    check('spec.scope', spec?.scope, old.spec?.scope)
    check('spec.names.kind', spec?.names?.kind, old.spec?.names?.kind)
  }
  check('spec.group', spec?.group, old.spec?.group)
  check('spec.names.plural', spec?.names?.plural, old.spec?.names?.plural)
}

function checkStoredVersions({ spec, status }: Definition, errors: Errors): void {
  const path = 'status.storedVersions'
  const stored = status?.storedVersions ?? []
  const versions = spec?.versions ?? []
  if (!stored.length) {
    errors.push(invalid(path, stored.length ? stored : null, 'must have at least one stored version'))
    return
  }
  // As upstream counts: a version that stands twice finds itself there once.
  const left = new Set(stored)
  for (const { name, storage } of versions) {
    if (storage && !left.has(name)) errors.push(invalid(path, stored, `must have the storage version ${name}`))
    left.delete(name)
  }
  stored.forEach((name, i) => {
    if (!left.has(name)) return
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    errors.push(invalid(`${path}[${i}]`, name, detail))
  })
}

function checkApproval({ metadata, spec }: Definition, old: Definition | undefined, errors: Errors): void {
  if (!isProtectedGroup(spec?.group ?? '')) return
  const { state, message } = approvalOf(metadata?.annotations)
  if (old && approvalOf(old.metadata?.annotations).state === state) return
  const path = `metadata.annotations[${APPROVED}]`
  if (state === 'missing') errors.push(required(path, message))
  else if (state === 'invalid') errors.push(invalid(path, metadata?.annotations?.[APPROVED] ?? '', message))
}
