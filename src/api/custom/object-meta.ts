/** The metadata of custom resources and of resources embedded in them: brought into its type, and validated. */
import { type FieldError, invalid, required } from '../machinery/field-error.ts'
import { isDns1035Label, validateObjectMeta } from '../machinery/names.ts'
import type { ObjectMeta } from '../machinery/object.ts'
import { checkStructure, pruneUnknown } from '../machinery/structural.ts'
import type { CustomNode } from './node.ts'

type Json = Record<string, unknown>

const SCHEMA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const child = (path: string, key: string) => (path ? `${path}.${key}` : key)

export interface Coerced {
  /** Why the metadata cannot be what it should; in the words of Go's decoder. */
  readonly error?: string
  /** Paths of fields that were taken out. */
  readonly unknown: readonly string[]
}

/** Brings `holder.metadata` into its type, in place. `lenient` drops fields of other types instead of telling of them. */
export function coerceMetadata(holder: Json, path: string, lenient = false): Coerced {
  const { metadata } = holder
  if (metadata === undefined) return { unknown: [] }
  if (!isObject(metadata)) {
    if (!lenient) return { error: mistyped(metadata), unknown: [] }
    delete holder.metadata
    return { unknown: [] }
  }
  const { errors, unknown } = checkStructure(metadata, SCHEMA)
  if (errors.length && !lenient) return { error: errors[0]!.message, unknown: [] }
  for (const { field } of errors) delete metadata[field.split(/[.[]/, 1)[0]!]
  if (unknown.length) pruneUnknown(metadata, SCHEMA)
  return { unknown: unknown.map(field => `${child(path, 'metadata')}.${field}`) }
}

function mistyped(value: unknown): string {
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const what = typeof value === 'number' ? `number ${value}` : type
  return `json: cannot unmarshal ${what} into Go value of type v1.ObjectMeta`
}

/** The same for every resource embedded below `value`. Stops at the first problem. */
export function coerceEmbedded(
  value: unknown,
  node: CustomNode,
  lenient = false,
): Coerced & { readonly problem?: FieldError } {
  const unknown: string[] = []
  const problem = node.has.embedded ? coerce(value, node, '', lenient, unknown) : undefined
  const error = problem && `${problem.field}: ${problem.message}`
  return { ...(problem && { problem, error: error! }), unknown: unknown.sort() }
}

function coerce(
  value: unknown,
  node: CustomNode | undefined,
  path: string,
  lenient: boolean,
  unknown: string[],
): FieldError | undefined {
  if (!node?.has.embedded) return undefined
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const error = coerce(value[i], node.items, `${path}[${i}]`, lenient, unknown)
      if (error) return error
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  if (node.embedded) {
    const error = coerceResource(value, path, lenient, unknown)
    if (error) return error
  }
  for (const key in value) {
    const property = node.properties.get(key)
    const at = property ? child(path, key) : `${path}[${key}]`
    const error = coerce(value[key], property ?? node.values, at, lenient, unknown)
    if (error) return error
  }
  return undefined
}

function coerceResource(value: Json, path: string, lenient: boolean, unknown: string[]): FieldError | undefined {
  for (const key of ['apiVersion', 'kind']) {
    if (value[key] === undefined || typeof value[key] === 'string') continue
    if (lenient) delete value[key]
    else return invalid(child(path, key), value[key], 'must be a string')
  }
  const shown = value.metadata
  const found = coerceMetadata(value, path, lenient)
  unknown.push(...found.unknown)
  return found.error === undefined ? undefined : invalid(child(path, 'metadata'), shown, found.error)
}

/** What is wrong with resources embedded below `value`. */
export function embeddedErrors(value: unknown, node: CustomNode): FieldError[] {
  const errors: FieldError[] = []
  validate(value, node, '', errors)
  return errors
}

function validate(value: unknown, node: CustomNode | undefined, path: string, errors: FieldError[]): void {
  if (!node?.has.embedded) return
  if (Array.isArray(value)) {
    value.forEach((item, i) => {
      validate(item, node.items, `${path}[${i}]`, errors)
    })
  } else if (isObject(value)) {
    if (node.embedded) validateResource(value, path, errors)
    for (const key in value) {
      const property = node.properties.get(key)
      validate(value[key], property ?? node.values, property ? child(path, key) : `${path}[${key}]`, errors)
    }
  }
}

function validateResource(value: Json, path: string, errors: FieldError[]): void {
  const { apiVersion, kind, metadata } = value
  const at = (key: string) => child(path, key)
  if (apiVersion === undefined) errors.push(required(at('apiVersion')))
  else if (apiVersion === '') errors.push(invalid(at('apiVersion'), '', 'must not be empty'))
  else if (String(apiVersion).split('/').length > 2) {
    errors.push(invalid(at('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  }
  if (kind === undefined) errors.push(required(at('kind')))
  else if (kind === '') errors.push(invalid(at('kind'), '', 'must not be empty'))
  else {
    const problems = isDns1035Label(String(kind).toLowerCase())
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`
    if (problems.length) errors.push(invalid(at('kind'), kind, detail))
  }
  if (!isObject(metadata)) return
  const named = { ...metadata, name: metadata.name || 'fakename' } as ObjectMeta
  const options = { namespaced: Boolean(metadata.namespace), nameFormat: 'path' as const }
  errors.push(...validateObjectMeta(named, options, at('metadata')))
}
