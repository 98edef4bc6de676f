/**
 * What makes a schema structural: every field and its type stand outside of anyOf, allOf, oneOf and not, which only
 * restrict values
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema).
 */
import { itemsOf, type JsonSchema, valuesOf } from '../../custom/json-schema.ts'
import { compilePattern } from '../../custom/patterns.ts'
import { type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'
import { propertyPath } from './schema-path.ts'

type Level = 'root' | 'item' | 'field'

const MUST_HAVE_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

const entries = (schema: JsonSchema) => Object.entries(schema.properties ?? {})

/** Why a schema cannot even be read as a structural one; undefined where it can. */
export function unreadable(schema: JsonSchema): string | undefined {
  if (schema.id) return "OpenAPIV3Schema 'id' is not supported"
  if (schema.$schema) return "OpenAPIV3Schema 'schema' is not supported"
  if (schema.$ref) return "OpenAPIV3Schema '$ref' is not supported"
  if (Object.keys(schema.patternProperties ?? {}).length) {
    return "OpenAPIV3Schema 'patternProperties' is not supported"
  }
  if (Object.keys(schema.dependencies ?? {}).length) return "OpenAPIV3Schema 'dependencies' is not supported"
  if (schema.additionalItems !== undefined) return "OpenAPIV3Schema 'additionalItems' is not supported"
  if (Object.keys(schema.definitions ?? {}).length) return "OpenAPIV3Schema 'definitions' is not supported"
  if (Array.isArray(schema.items) && schema.items.length) {
    return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  }
  const below = [itemsOf(schema), valuesOf(schema), schema.not, ...entries(schema).map(([, each]) => each)]
  for (const each of [...below, ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    const problem = each && unreadable(each)
    if (problem) return problem
  }
  return undefined
}

/** What keeps a schema from being structural, sorted. */
export function structuralErrors(schema: JsonSchema, path: string): FieldError[] {
  const errors: Errors = []
  checkInvariants(schema, 'root', path, errors)
  checkCompleteness(schema, schema, path, path, errors)
  const text = ({ field, message }: FieldError) => `${field}: ${message}`
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : 1))
}

function checkInvariants(schema: JsonSchema, level: Level, path: string, errors: Errors): void {
  const items = itemsOf(schema)
  if (schema.type === 'array' && !items) errors.push(required(`${path}.items`, 'must be specified'))
  if (items) checkInvariants(items, 'item', `${path}.items`, errors)
  for (const [name, each] of entries(schema)) checkInvariants(each, 'field', propertyPath(path, name), errors)
  if (schema.additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'))
    const values = valuesOf(schema)
    if (values) checkInvariants(values, 'field', `${path}.additionalProperties`, errors)
  }
  checkExtensions(schema, path, errors)
  const pattern = intOrStringPattern(schema)
  checkValues(schema, path, errors, pattern === 'anyOf', pattern === 'allOf')
  checkType(schema, level, path, errors)
  checkMeta(schema, level, path, errors)
}

function checkExtensions(schema: JsonSchema, path: string, errors: Errors): void {
  if (!schema['x-kubernetes-int-or-string']) return
  for (const field of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (!schema[field]) continue
    errors.push(invalid(`${path}.${field}`, true, 'must be false if x-kubernetes-int-or-string is true'))
  }
}

function checkType(schema: JsonSchema, level: Level, path: string, errors: Errors): void {
  const at = `${path}.type`
  const { type } = schema
  const embedded = schema['x-kubernetes-embedded-resource']
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type ? invalid(at, type, detail) : required(at, detail))
  } else if (!type && !schema['x-kubernetes-int-or-string'] && !schema['x-kubernetes-preserve-unknown-fields']) {
    errors.push(required(at, MUST_HAVE_TYPE[level]))
  }
  if (embedded && schema.additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set'
    errors.push(forbidden(`${path}.additionalProperties`, detail))
  }
  if (level === 'root' && type && type !== 'object') errors.push(invalid(at, type, 'must be object at the root'))
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && entries(schema).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(required(`${path}.properties`, detail))
  }
}

/** A resource's apiVersion, kind and metadata have their own types, which a schema may only repeat. */
function checkMeta(schema: JsonSchema, level: Level, path: string, errors: Errors): void {
  const isResource = level === 'root' || schema['x-kubernetes-embedded-resource'] === true
  for (const name of ['kind', 'apiVersion']) {
    const each = schema.properties?.[name]
    if (!isResource || !each || each.type === 'string') continue
    errors.push(invalid(`${propertyPath(path, name)}.type`, each.type ?? '', 'must be string'))
  }
  const metadata = schema.properties?.metadata
  if (!metadata) return
  const at = propertyPath(path, 'metadata')
  if (isResource && metadata.type !== 'object')
    errors.push(invalid(`${at}.type`, metadata.type ?? '', 'must be object'))
  if (level === 'root' && !restrictsNamesOnly(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbidden(at, detail))
  }
}

const isZero = (value: unknown) =>
  value === undefined || value === false || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)

function restrictsNamesOnly({ type: _t, default: _d, properties, ...rest }: JsonSchema): boolean {
  const names = Object.keys(properties ?? {})
  return names.every(name => name === 'name' || name === 'generateName') && Object.values(rest).every(isZero)
}

/** The two ways to write what int-or-string stands for, in which types may stand inside of alternatives. */
function intOrStringPattern(schema: JsonSchema): 'anyOf' | 'allOf' | undefined {
  const fits = (list: readonly JsonSchema[] | undefined) =>
    list?.length === 2 && isTypeOnly(list[0]!, 'integer') && isTypeOnly(list[1]!, 'string')
  if (fits(schema.anyOf)) return 'anyOf'
  return fits(schema.allOf?.[0]?.anyOf) ? 'allOf' : undefined
}

const isTypeOnly = ({ type, ...rest }: JsonSchema, wanted: string) =>
  type === wanted && Object.values(rest).every(isZero)

function checkValues(
  schema: JsonSchema,
  path: string,
  errors: Errors,
  skipAnyOf = false,
  skipFirstOfAllOf = false,
): void {
  if (!skipAnyOf) schema.anyOf?.forEach((each, i) => void checkNested(each, `${path}.anyOf[${i}]`, errors))
  schema.allOf?.forEach((each, i) => void checkNested(each, `${path}.allOf[${i}]`, errors, skipFirstOfAllOf && i === 0))
  schema.oneOf?.forEach((each, i) => void checkNested(each, `${path}.oneOf[${i}]`, errors))
  if (schema.not) checkNested(schema.not, `${path}.not`, errors)
  if (!schema.pattern) return
  const compiled = compilePattern(schema.pattern)
  if (compiled instanceof Error) {
    const detail = `must be a valid regular expression, but isn't: ${compiled.message}`
    errors.push(invalid(`${path}.pattern`, schema.pattern, detail))
  }
}

/** What may not stand inside of alternatives, and why. */
const FORBIDDEN_INSIDE: readonly (readonly [keyof JsonSchema, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function checkNested(schema: JsonSchema, path: string, errors: Errors, skipAnyOf = false): void {
  checkValues(schema, path, errors, skipAnyOf)
  const items = itemsOf(schema)
  if (items) checkNested(items, `${path}.items`, errors)
  for (const [name, each] of entries(schema)) checkNested(each, propertyPath(path, name), errors)
  for (const [field, detail] of FORBIDDEN_INSIDE) {
    if (!isZero(schema[field]) && schema[field] !== null) errors.push(forbidden(`${path}.${field}`, detail))
  }
  if (schema.properties?.metadata) {
    errors.push(forbidden(propertyPath(path, 'metadata'), 'must not be specified in a nested context'))
  }
}

/** Every field that alternatives speak of must stand outside of them. */
function checkCompleteness(values: JsonSchema, schema: JsonSchema, path: string, from: string, errors: Errors): void {
  const below = (each: JsonSchema, at: string) => void checkNestedCompleteness(each, schema, path, at, errors)
  if (values.not) below(values.not, `${from}.not`)
  for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
    values[field]?.forEach((each, i) => void below(each, `${from}.${field}[${i}]`))
  }
}

function checkNestedCompleteness(
  values: JsonSchema,
  schema: JsonSchema,
  path: string,
  from: string,
  errors: Errors,
): void {
  checkCompleteness(values, schema, path, from, errors)
  const items = itemsOf(values)
  const own = itemsOf(schema)
  if (items && own) checkNestedCompleteness(items, own, `${path}.items`, `${from}.items`, errors)
  else if (items) errors.push(required(`${path}.items`, `because it is defined in ${from}.items`))
  for (const [name, each] of entries(values)) {
    const property = schema.properties?.[name]
    const at = propertyPath(path, name)
    const there = propertyPath(from, name)
    if (property) checkNestedCompleteness(each, property, at, there, errors)
    else errors.push(required(at, `because it is defined in ${there}`))
  }
}
