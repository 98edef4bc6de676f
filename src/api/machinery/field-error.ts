/**
 * What is wrong with one field, in the words clients know (k8s.io/apimachinery `validation/field`).
 * A Status of reason Invalid carries one cause per error (see status-error.ts).
 */

import { goNumber, goQuoted } from './go-text.ts'

/** Reasons as in StatusDetails.causes[].reason (meta/v1 CauseType). */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid'

export interface FieldError {
  readonly reason: FieldErrorReason
  /** As Kubernetes writes paths: `spec.containers[0].name`, `metadata.labels[a/b]`. */
  readonly field: string
  /** Without the field, e.g. `Required value: must be set`. */
  readonly message: string
}

let watcher: ((field: string) => void) | undefined

/** From now on `watch` is called where an error is made: tests see which rules have cases. */
export function watchFieldErrors(watch: (field: string) => void): void {
  watcher = watch
}

function made(reason: FieldErrorReason, field: string, message: string): FieldError {
  watcher?.(field)
  return { reason, field, message }
}

/** A value as it stands in messages: strings quoted as Go's %q does, objects as JSON. */
const show = (value: unknown) => {
  if (typeof value === 'number') return goNumber(value)
  if (typeof value === 'string') return goQuoted(value)
  return value === undefined || value === null ? 'null' : JSON.stringify(value)
}
const tail = (detail: string) => (detail ? `: ${detail}` : '')

export const required = (field: string, detail = ''): FieldError =>
  made('FieldValueRequired', field, `Required value${tail(detail)}`)

export const invalid = (field: string, value: unknown, detail: string): FieldError =>
  made('FieldValueInvalid', field, `Invalid value: ${show(value)}${tail(detail)}`)

/** As `invalid`, where the value is not shown. */
export const invalidUnsaid = (field: string, detail: string): FieldError =>
  made('FieldValueInvalid', field, `Invalid value: ${detail}`)

export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  made('FieldValueTypeInvalid', field, `Invalid value: ${show(value)}${tail(detail)}`)

/** `supported` is listed as given: Kubernetes sorts sets, but not lists. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  made(
    'FieldValueNotSupported',
    field,
    `Unsupported value: ${show(value)}${supported.length ? `: supported values: ${supported.map(show).join(', ')}` : ''}`,
  )

export const forbidden = (field: string, detail: string): FieldError =>
  made('FieldValueForbidden', field, `Forbidden: ${detail}`)

export const duplicate = (field: string, value: unknown): FieldError =>
  made('FieldValueDuplicate', field, `Duplicate value: ${show(value)}`)

export const notFound = (field: string, value: unknown): FieldError =>
  made('FieldValueNotFound', field, `Not found: ${show(value)}`)

/** The check itself went wrong. */
export const internal = (field: string, detail: string): FieldError =>
  made('InternalError', field, `Internal error: ${detail}`)

/** `max` is in bytes. The value itself is not repeated. */
export const tooLong = (field: string, max: number): FieldError =>
  made('FieldValueTooLong', field, `Too long: may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}`)

export const tooMany = (field: string, actual: number, max: number): FieldError =>
  made('FieldValueTooMany', field, `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`)

/** The path of a child field: `child('spec', 'containers', 0, 'name')` is `spec.containers[0].name`. */
export function child(path: string, ...steps: (string | number)[]): string {
  let result = path
  for (const step of steps) result += typeof step === 'number' ? `[${step}]` : result ? `.${step}` : step
  return result
}

/** The path of a map entry: `metadata.labels[app]`. */
export const entry = (path: string, key: string) => `${path}[${key}]`
