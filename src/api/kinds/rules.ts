/**
 * Checks that many kinds' rules are made of, so that most of them read as a table. A check appends to `errors`; a
 * `Rule` (see machinery/kind.ts) returns its errors. Paths are dotted: `spec.selector`.
 */
import type { FieldError } from '../machinery/field-error.ts'
import { forbidden, invalid, notSupported, required, tooMany } from '../machinery/field-error.ts'
import type { IntOrString } from '../machinery/int-or-string.ts'
import { parsePercent } from '../machinery/int-or-string.ts'
import type { Rule, RuleContext } from '../machinery/kind.ts'
import { equalJson } from '../machinery/merge-patch.ts'
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, regexError } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'

/** Where checks put what they find. */
export type Errors = FieldError[]

/** The value at a dotted path; undefined where a step of it is missing. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object
  for (const step of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[step]
  return value
}

const hasNothing = (value: unknown) =>
  value === undefined ||
  value === null ||
  (typeof value === 'object' && Object.values(value).every(inner => inner === undefined))

const empty = (value: unknown) => value === '' || value === 0 || value === false || hasNothing(value)

/** Equal, where whatever counts as nothing is the same as what is not there. */
function same(a: unknown, b: unknown, isNothing: (value: unknown) => boolean): boolean {
  if (Object.is(a, b) || (isNothing(a) && isNothing(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false
  for (const key in left) if (!same(left[key], right[key], isNothing)) return false
  for (const key in right) if (!(key in left) && !isNothing(right[key])) return false
  return true
}

/** Equal, where an absent field, null and a zero or empty value are the same (Go's encoding drops these). */
export const sameValue = (a: unknown, b: unknown): boolean => same(a, b, empty)

/** As sameValue, but a zero that is said is not the same as nothing: for what has been in its stored form. */
export const sameSaid = (a: unknown, b: unknown): boolean => same(a, b, hasNothing)

export const IMMUTABLE = 'field is immutable'

const fixed =
  (absent: unknown, paths: readonly string[]): Rule =>
  (next, old) => {
    if (!old) return []
    return paths.flatMap(path => {
      const value = valueAt(next, path)
      return sameValue(value, valueAt(old, path)) ? [] : [invalid(path, value ?? absent, IMMUTABLE)]
    })
  }

/** The fields may not change once the object is made. */
export const immutable = (...paths: string[]): Rule => fixed(null, paths)

/** As immutable, for strings: one that is gone is shown as an empty one. */
export const immutableText = (...paths: string[]): Rule => fixed('', paths)

/** Numbers, where they are there, are not negative. */
export const nonNegative =
  (...paths: string[]): Rule =>
  next => {
    const errors: Errors = []
    for (const path of paths) checkNonNegative(valueAt(next, path) as number | undefined, path, errors)
    return errors
  }

/** The rules hold where the condition does. */
export const when =
  <T extends KubeObject>(
    condition: (next: T, old: T | undefined, context: RuleContext) => boolean,
    ...rules: Rule<T>[]
  ): Rule<T> =>
  (next, old, context) =>
    condition(next, old, context) ? rules.flatMap(rule => rule(next, old, context)) : []

/** The rules hold for the object itself, not for its subresources. */
export const onObject = <T extends KubeObject>(...rules: Rule<T>[]): Rule<T> =>
  when<T>((_next, _old, { subresource }) => subresource !== 'status', ...rules)

/** The rules hold for the status endpoint. */
export const onStatus = <T extends KubeObject>(...rules: Rule<T>[]): Rule<T> =>
  when<T>((_next, old, { subresource }) => subresource === 'status' && old !== undefined, ...rules)

/** A rule from a function that appends. */
export const check =
  <T extends KubeObject>(append: (next: T, errors: Errors, old: T | undefined) => void): Rule<T> =>
  (next, old) => {
    const errors: Errors = []
    append(next, errors, old)
    return errors
  }

/** An object that says `immutable: true` keeps that and the named fields for ever (ConfigMap, Secret). */
export const frozenWhenImmutable =
  (...fields: string[]): Rule =>
  (next, old) => {
    if (!old || !(old as { immutable?: boolean }).immutable) return []
    const message = 'field is immutable when `immutable` is set'
    const errors: Errors = []
    if (!(next as { immutable?: boolean }).immutable) errors.push(forbidden('immutable', message))
    for (const field of fields) {
      if (!equalJson(valueAt(next, field) ?? {}, valueAt(old, field) ?? {})) errors.push(forbidden(field, message))
    }
    return errors
  }

export function checkNonNegative(value: number | undefined, path: string, errors: Errors): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, 'must be greater than or equal to 0'))
}

export function checkPositive(value: number, path: string, errors: Errors): void {
  if (value <= 0) errors.push(invalid(path, value, 'must be greater than zero'))
}

/** `messages` are what is wrong with the value. */
export function checkFormat(messages: readonly string[], value: unknown, path: string, errors: Errors): void {
  for (const message of messages) errors.push(invalid(path, value, message))
}

export const checkLabelName = (value: string, path: string, errors: Errors) =>
  checkFormat(isDns1123Label(value), value, path, errors)

export const checkSubdomain = (value: string, path: string, errors: Errors) =>
  checkFormat(isDns1123Subdomain(value), value, path, errors)

export const checkQualifiedName = (value: string, path: string, errors: Errors) =>
  checkFormat(isQualifiedName(value), value, path, errors)

/** Supported values, in the order of the message; an empty or absent one is missing. */
export function checkEnum(value: string | undefined, values: readonly string[], path: string, errors: Errors): void {
  if (value === undefined || value === '') errors.push(required(path))
  else if (!values.includes(value)) errors.push(notSupported(path, value, values))
}

/** A value that is there is one of the supported ones; an empty one is not. */
export function checkSupported(
  value: string | undefined,
  values: readonly string[],
  path: string,
  errors: Errors,
): void {
  if (value !== undefined && !values.includes(value)) errors.push(notSupported(path, value, values))
}

export function checkMaxItems(list: readonly unknown[], max: number, path: string, errors: Errors): void {
  if (list.length > max) errors.push(tooMany(path, list.length, max))
}

/** An int of 0 and more, or a percentage. */
export function checkIntOrPercent(value: IntOrString | undefined, path: string, errors: Errors): void {
  if (typeof value === 'number') checkNonNegative(value, path, errors)
  else if (value !== undefined && !/^[0-9]+%$/.test(value)) {
    const wanted = regexError(
      "a valid percent string must be a numeric string followed by an ending '%'",
      '[0-9]+%',
      '1%',
      '93%',
    )
    errors.push(invalid(path, value, wanted))
  }
}

/** A percentage is at most 100. */
export function checkAtMostWhole(value: IntOrString | undefined, path: string, errors: Errors): void {
  if (typeof value === 'string' && (parsePercent(value) ?? 0) > 100) {
    errors.push(invalid(path, value, 'must not be greater than 100%'))
  }
}
