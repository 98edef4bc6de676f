/** Lists that are sets or maps hold no value, or no key, twice. */
import { duplicate, type FieldError, invalid } from '../machinery/field-error.ts'
import type { CustomNode } from './node.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is wrong with the lists in a value. `path` is that of the value. */
export function listErrors(value: unknown, node: CustomNode | undefined, path = ''): FieldError[] {
  const errors: FieldError[] = []
  if (node?.has.keyed) walk(value, node, path, errors)
  return errors
}

function walk(value: unknown, node: CustomNode | undefined, path: string, errors: FieldError[]): void {
  if (!node?.has.keyed) return
  if (Array.isArray(value)) {
    if (node.listType === 'set') checkSet(value, path, errors)
    else if (node.listType === 'map') checkMap(value, node, path, errors)
    if (!node.items?.has.keyed) return
    value.forEach((item, i) => {
      walk(item, node.items, `${path}[${i}]`, errors)
    })
  } else if (isObject(value)) {
    for (const key in value) {
      const property = node.properties.get(key)
      if (property) walk(value[key], property, path ? `${path}.${key}` : key, errors)
      else if (node.values) walk(value[key], node.values, `${path}[${key}]`, errors)
    }
  }
}

/** Keys in the order of their names, as they are compared. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, canonical(value[key])]),
  )
}

/** What equal values have in common. Sets are long lists of strings: those are not worth a copy. */
const keyOf = (value: unknown) => (typeof value === 'string' ? `"${value}` : JSON.stringify(canonical(value)))

/** Indices of the second appearance of what stands more than once. */
function secondAppearances(values: readonly unknown[]): number[] {
  const seen = new Map<string, number>()
  const result: number[] = []
  values.forEach((value, index) => {
    const text = keyOf(value)
    const times = seen.get(text) ?? 0
    seen.set(text, times + 1)
    if (times === 1) result.push(index)
  })
  return result
}

function checkSet(list: readonly unknown[], path: string, errors: FieldError[]): void {
  for (const index of secondAppearances(list)) errors.push(duplicate(`${path}[${index}]`, list[index]))
}

function checkMap(list: readonly unknown[], node: CustomNode, path: string, errors: FieldError[]): void {
  const strange = list.findIndex(item => item !== null && !isObject(item))
  if (strange >= 0) {
    errors.push(invalid(`${path}[${strange}]`, list[strange], 'must be an object for an array of list-type map'))
    return
  }
  const keys = list.map(item => {
    const object = (item ?? {}) as Json
    return Object.fromEntries(
      node.listMapKeys.filter(key => object[key] !== undefined).map(key => [key, object[key]] as const),
    )
  })
  for (const index of secondAppearances(keys)) errors.push(duplicate(`${path}[${index}]`, canonical(keys[index])))
}
