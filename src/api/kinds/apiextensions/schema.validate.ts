/**
 * The schemas of definitions: what OpenAPI allows and custom resources do not, and the extensions of Kubernetes
 * (k8s.io/apiextensions-apiserver `pkg/apis/apiextensions/validation`).
 */
import { itemsOf, type JsonSchema, valuesOf } from '../../custom/json-schema.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'
import { findField, propertyPath } from './schema-path.ts'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const META: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion'])
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

/** Where in a schema a check is. */
interface Place {
  /** Inside of the type or metadata of a resource. */
  readonly insideMeta: boolean
  /** Why there may be no defaults here. */
  readonly noDefaults: string | undefined
}

const isFilled = (value: object | undefined) => value !== undefined && Object.keys(value).length > 0

/** Appends what is wrong with a schema. */
export function checkSchema(schema: JsonSchema, path: string, errors: Errors): void {
  check(schema, path, true, { insideMeta: false, noDefaults: undefined }, errors)
}

function check(schema: JsonSchema, path: string, isRoot: boolean, place: Place, errors: Errors): void {
  checkUnsupported(schema, path, place, errors)
  if (schema.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    errors.push(forbidden(`${path}.uniqueItems`, detail))
  }
  checkBelow(schema, path, isRoot, place, errors)
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  checkMapType(schema, path, errors)
  checkListType(schema, path, errors)
  checkKeys(schema, path, errors)
  checkKeyedItems(schema, path, errors)
  checkRules(schema, path, errors)
}

function checkUnsupported(schema: JsonSchema, path: string, place: Place, errors: Errors): void {
  const { type } = schema
  const refuse = (field: string, detail: string) => void errors.push(forbidden(`${path}.${field}`, detail))
  if (type && !TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, TYPES))
  if (schema.default !== undefined && schema.default !== null && place.noDefaults !== undefined) {
    refuse('default', `must not be set ${place.noDefaults}`)
  }
  if (schema.id) refuse('id', 'id is not supported')
  if (schema.additionalItems !== undefined) refuse('additionalItems', 'additionalItems is not supported')
  if (isFilled(schema.patternProperties)) refuse('patternProperties', 'patternProperties is not supported')
  if (isFilled(schema.definitions)) refuse('definitions', 'definitions is not supported')
  if (schema.dependencies !== undefined) refuse('dependencies', 'dependencies is not supported')
  if (schema.$ref !== undefined) refuse('$ref', '$ref is not supported')
  if (type === 'null') refuse('type', 'type cannot be set to null, use nullable as an alternative')
  if (Array.isArray(schema.items) && schema.items.length) {
    refuse('items', 'items must be a schema object and not an array')
  }
  if (place.insideMeta && schema['x-kubernetes-embedded-resource']) {
    refuse('x-kubernetes-embedded-resource', 'must not be used inside of resource meta')
  }
}

function checkBelow(schema: JsonSchema, path: string, isRoot: boolean, place: Place, errors: Errors): void {
  const descend = (each: JsonSchema, at: string, where = place) => void check(each, at, false, where, errors)
  if (schema.additionalProperties !== undefined) {
    const values = valuesOf(schema)
    if (isFilled(schema.properties) && schema.additionalProperties !== true) {
      const detail = 'additionalProperties and properties are mutual exclusive'
      errors.push(forbidden(`${path}.additionalProperties`, detail))
    }
    const reason = 'inside additionalProperties applying to object metadata'
    const where = place.insideMeta ? { ...place, noDefaults: reason } : place
    if (values) descend(values, `${path}.additionalProperties`, where)
  }
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const isMeta = (isRoot || schema['x-kubernetes-embedded-resource'] === true) && META.has(name)
    const noDefaults = isMeta && isRoot ? `in top-level ${name}` : place.noDefaults
    descend(each, propertyPath(path, name), isMeta ? { insideMeta: true, noDefaults } : place)
  }
  if (schema.not) descend(schema.not, `${path}.not`)
  for (const field of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[field]?.forEach((each, i) => void descend(each, `${path}.${field}[${i}]`))
  }
  for (const [name, each] of Object.entries(schema.definitions ?? {})) descend(each, `${path}.definitions[${name}]`)
  const items = itemsOf(schema)
  if (items) descend(items, `${path}.items`)
  else if (Array.isArray(schema.items)) {
    ;(schema.items as readonly JsonSchema[]).forEach((each, i) => void descend(each, `${path}.items[${i}]`))
  }
}

function checkMapType(schema: JsonSchema, path: string, errors: Errors): void {
  const mapType = schema['x-kubernetes-map-type']
  if (mapType === undefined) return
  if (schema.type !== 'object') {
    const detail = 'must be object if x-kubernetes-map-type is specified'
    errors.push(schema.type ? invalid(`${path}.type`, schema.type, detail) : required(`${path}.type`, detail))
  }
  if (mapType !== 'atomic' && mapType !== 'granular') {
    errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
  }
}

function checkListType(schema: JsonSchema, path: string, errors: Errors): void {
  const listType = schema['x-kubernetes-list-type']
  if (listType === undefined) return
  const items = itemsOf(schema)
  if (schema.type !== 'array') {
    const detail = 'must be array if x-kubernetes-list-type is specified'
    errors.push(schema.type ? invalid(`${path}.type`, schema.type, detail) : required(`${path}.type`, detail))
  } else if (listType === 'set' && items) {
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
    const inner = items['x-kubernetes-list-type']
    if (items.type === 'array' && inner !== undefined && inner !== 'atomic') {
      errors.push(invalid(`${path}.items.x-kubernetes-list-type`, inner, detail))
    }
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
      errors.push(invalid(`${path}.items.x-kubernetes-map-type`, inner, detail))
    }
  }
  if (!['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']))
  }
}

function checkKeys(schema: JsonSchema, path: string, errors: Errors): void {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const at = `${path}.x-kubernetes-list-type`
  if (keys.length && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(listType === undefined ? required(at, detail) : invalid(at, listType, detail))
  }
  if (listType !== 'map') return
  const keysAt = `${path}.x-kubernetes-list-map-keys`
  if (!keys.length) errors.push(required(keysAt, 'must not be empty if x-kubernetes-list-type is map'))
  const items = itemsOf(schema)
  if (schema.items === undefined) {
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
  } else if (!items) {
    const detail = 'must only have a single schema if x-kubernetes-list-type is map'
    errors.push(invalid(`${path}.items`, schema.items, detail))
  } else if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    errors.push(invalid(`${path}.items.type`, items.type ?? '', detail))
  } else checkKeyNames(items, keys, path, keysAt, errors)
}

function checkKeyNames(items: JsonSchema, keys: readonly string[], path: string, keysAt: string, errors: Errors): void {
  keys.forEach((key, index) => {
    const property = items.properties?.[key]
    if (!property) errors.push(invalid(keysAt, keys, 'entries must all be names of item properties'))
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
      errors.push(invalid(`${propertyPath(`${path}.items`, key)}.type`, items.type, detail))
    }
    if (keys.indexOf(key) < index) errors.push(invalid(keysAt, keys, 'must not contain duplicate entries'))
  })
}

/** Items of sets and maps are there, and the keys of maps have values. */
function checkKeyedItems(schema: JsonSchema, path: string, errors: Errors): void {
  const listType = schema['x-kubernetes-list-type']
  const items = itemsOf(schema)
  if (!items || (listType !== 'set' && listType !== 'map')) return
  if (items.nullable) {
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`))
  }
  if (listType !== 'map') return
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = items.properties?.[key]
    if (!property) continue
    const at = propertyPath(`${path}.items`, key)
    if (!items.required?.includes(key) && (property.default ?? undefined) === undefined) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push(required(`${at}.default`, detail))
    }
    if (property.nullable) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'
      errors.push(forbidden(`${at}.nullable`, detail))
    }
  }
}

const hasLineBreak = (text: string) => /[\n\r]/.test(text)

/** The form of CEL rules; what they say is looked at elsewhere. */
function checkRules(schema: JsonSchema, path: string, errors: Errors): void {
  schema['x-kubernetes-validations']?.forEach((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`
    const { rule: text = '', message = '', messageExpression = '', reason, fieldPath = '' } = rule
    if (!text.trim()) errors.push(required(`${at}.rule`, 'rule is not specified'))
    else if (message && !message.trim()) {
      errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'))
    } else if (hasLineBreak(message.trim())) {
      errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'))
    } else if (hasLineBreak(text.trim()) && !message.trim()) {
      errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'))
    }
    if (messageExpression && !messageExpression.trim()) {
      const detail = 'messageExpression must be non-empty if specified'
      errors.push(required(`${at}.messageExpression`, detail))
    }
    if (reason !== undefined && !REASONS.includes(reason)) {
      errors.push(notSupported(`${at}.reason`, reason, REASONS))
    }
    checkFieldPath(schema, fieldPath, `${at}.fieldPath`, errors)
  })
}

function checkFieldPath(schema: JsonSchema, fieldPath: string, at: string, errors: Errors): void {
  if (!fieldPath) return
  if (!fieldPath.trim()) errors.push(invalid(at, fieldPath, 'must be non-empty if specified'))
  if (hasLineBreak(fieldPath)) errors.push(invalid(at, fieldPath, 'must not contain line breaks'))
  if (typeof findField(fieldPath, schema) === 'string') errors.push(invalid(at, fieldPath, 'must be a valid path'))
}
