/** The parts of a definition that each version may have: schema, subresources, columns, selectable fields. */

import { type JsonSchema, someSchema } from '../../custom/json-schema.ts'
import { rules } from '../../custom/rules.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from '../../generated/types/apiextensions-v1.ts'
import { duplicate, forbidden, invalid, required, tooMany } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'
import { checkDefaults } from './default-values.validate.ts'
import { checkSchema } from './schema.validate.ts'
import { findField } from './schema-path.ts'
import { structuralErrors, unreadable } from './structural.validate.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const MAX_SELECTABLE = 8

function checkSimplePath(text: string, path: string, errors: Errors): boolean {
  if (text.startsWith('.')) return true
  errors.push(invalid(path, text, 'must be a simple json path starting with .'))
  return false
}

export function checkColumns(columns: readonly CustomResourceColumnDefinition[], path: string, errors: Errors): void {
  columns.forEach(({ name, type, format, jsonPath }, i) => {
    const at = `${path}[${i}]`
    const types = `must be one of ${COLUMN_TYPES.join(',')}`
    if (!name) errors.push(required(`${at}.name`))
    if (!type) errors.push(required(`${at}.type`, types))
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${at}.type`, type, types))
    if (format && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalid(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
    }
    if (!jsonPath) errors.push(required(`${at}.JSONPath`))
    else checkSimplePath(jsonPath, `${at}.JSONPath`, errors)
  })
}

export function checkSubresources({ scale }: CustomResourceSubresources, path: string, errors: Errors): void {
  if (!scale) return
  const check = (value: string | undefined, field: string, root: string) => {
    const at = `${path}.scale.${field}`
    if (!value) errors.push(required(at))
    else if (checkSimplePath(value, at, errors) && !value.startsWith(`.${root}.`)) {
      errors.push(invalid(at, value, `should be a json path under .${root}`))
    }
  }
  check(scale.specReplicasPath, 'specReplicasPath', 'spec')
  check(scale.statusReplicasPath, 'statusReplicasPath', 'status')
  const selector = scale.labelSelectorPath
  const at = `${path}.scale.labelSelectorPath`
  if (selector && checkSimplePath(selector, at, errors) && !/^\.(spec|status)\./.test(selector)) {
    errors.push(invalid(at, selector, 'should be a json path under either .spec or .status'))
  }
}

export function checkSelectable(
  fields: readonly SelectableField[],
  schema: JsonSchema,
  path: string,
  mayBeMany: boolean,
  errors: Errors,
): void {
  const seen = new Set<string>()
  fields.forEach(({ jsonPath }, i) => {
    const at = `${path}[${i}].jsonPath`
    if (!jsonPath) {
      errors.push(required(at))
      return
    }
    const found = findField(jsonPath, schema, false)
    if (typeof found === 'string') {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${found}`))
      return
    }
    if (/^metadata(\.|$)/.test(found.path)) {
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    }
    if (!['string', 'boolean', 'integer'].includes(found.schema?.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      errors.push(invalid(at, jsonPath, detail))
    }
    if (seen.has(found.path)) errors.push(duplicate(at, jsonPath))
    seen.add(found.path)
  })
  if (seen.size > MAX_SELECTABLE && !mayBeMany) errors.push(tooMany(path, seen.size, MAX_SELECTABLE))
}

/** Fields that a schema's root must not have where status is taken out of it, in upstream's words for them. */
const NOT_AT_ROOT: readonly (keyof JsonSchema)[] = [
  'id',
  '$schema',
  '$ref',
  'nullable',
  'default',
  'enum',
  'maxProperties',
  'minProperties',
  'allOf',
  'oneOf',
  'anyOf',
  'not',
  'additionalProperties',
  'patternProperties',
  'dependencies',
  'additionalItems',
  'definitions',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
]
const AT_ROOT =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]'

function checkRoot(schema: JsonSchema, path: string, errors: Errors): void {
  if (schema.type && schema.type !== 'object') {
    const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    errors.push(invalid(`${path}.type`, schema.type, detail))
  } else if (NOT_AT_ROOT.some(field => schema[field] !== undefined && schema[field] !== false)) {
    const detail = `only ${AT_ROOT} fields are allowed at the root of the schema if the status subresource is enabled`
    errors.push(invalid(path, schema, detail))
  }
}

/** Appends what is wrong with a schema. `path` is that of what holds `openAPIV3Schema`. */
export function checkVersionSchema(schema: JsonSchema, path: string, hasStatus: boolean, errors: Errors): void {
  const at = `${path}.openAPIV3Schema`
  const before = errors.length
  if (hasStatus) checkRoot(schema, at, errors)
  if (schema.nullable) errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  const begun = errors.length
  const problem = unreadable(schema)
  if (problem === undefined) {
    const structural = structuralErrors(schema, at)
    if (structural.length) errors.push(...structural)
    else checkDefaults(schema, at, errors)
  }
  const structuralIsSound = errors.length === begun
  const beforeSchema = errors.length
  checkSchema(schema, at, errors)
  const isSound = problem === undefined && errors.length === beforeSchema && structuralIsSound
  if (isSound && someSchema(schema, each => Boolean(each['x-kubernetes-validations']?.length))) {
    errors.push(...rules().checkExpressions(schema, at))
  }
  if (problem !== undefined && errors.length === before) errors.push(invalid(at, '', problem))
}

/** Appends what is wrong with the warning of a deprecated version. */
export function checkDeprecation(version: CustomResourceDefinitionVersion, path: string, errors: Errors): void {
  const { deprecated, deprecationWarning: text } = version
  if (text === undefined) return
  const at = `${path}.deprecationWarning`
  const refuse = (detail: string) => void errors.push(invalid(at, text, detail))
  if (!deprecated) {
    refuse('can only be set for deprecated versions')
    return
  }
  if (Buffer.byteLength(text) > 256) refuse('must be <= 256 characters long')
  if (text === '') refuse('must not be an empty string')
  const at_ = text.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u)
  if (at_ >= 0) {
    refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${at_}`)
  }
}
