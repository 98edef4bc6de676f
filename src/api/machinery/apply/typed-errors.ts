/**
 * What a manager applies against the types of its schema, in the words of sigs.k8s.io/structured-merge-diff, which
 * clients see in answers of 500.
 */
import { goPrinted } from '../go-text.ts'
import type { SchemaNode } from '../schema-node.ts'
import { showPath } from './field-set.ts'
import { fieldNode, itemStep, omitsKeys } from './typed.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'number'])
const goType = (value: unknown) =>
  typeof value === 'boolean'
    ? 'bool'
    : Array.isArray(value)
      ? '[]interface {}'
      : isObject(value)
        ? 'map[string]interface {}'
        : 'string'

function scalarProblem(node: SchemaNode, value: unknown): string | undefined {
  if (NUMBERS.has(node.type)) {
    return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
  }
  if (node.type === 'boolean')
    return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goPrinted(value)}}`
  if (node.type === 'string' || node.type === 'time' || node.type === 'bytes') {
    return typeof value === 'string'
      ? undefined
      : `expected string, got &value.valueUnstructured{Value:${goPrinted(value)}}`
  }
  return undefined
}

function itemProblem(node: SchemaNode, item: unknown): string | undefined {
  if (node.merging === 'map') {
    if (item === null) return 'associative list with keys may not have a null element'
    if (!isObject(item)) return 'associative list with keys may not have non-map elements'
    if (node.keys.every(key => item[key] === undefined && node.keyDefaults[key] === undefined)) {
      return omitsKeys(node.keys)
    }
  } else if (node.merging === 'set') {
    if (item === null) return "associative list without keys has an element that's an explicit null"
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements'
    if (isObject(item)) return "associative list without keys has an element that's a map type"
  }
  return undefined
}

/** Problems with their paths, e.g. `.spec.replicas: expected numeric (int or float), got string`. */
export function typedErrors(node: SchemaNode, value: unknown): string[] {
  const errors: string[] = []
  walk(node, value, [], errors)
  return errors
}

function walk(node: SchemaNode, value: unknown, path: readonly string[], errors: string[]): void {
  if (value === null || value === undefined || node.type === 'any' || node.type === 'int-or-string') return
  const report = (problem: string) => void errors.push(`${showPath(path)}: ${problem}`)
  if (node.type === 'object' || node.type === 'map') {
    if (isObject(value)) walkFields(node, value, path, errors)
    else report(`expected map, got &{${goPrinted(value)}}`)
  } else if (node.type === 'array') {
    if (Array.isArray(value)) walkItems(node, value, path, errors)
    else report(`expected list, got &{${goPrinted(value)}}`)
  } else {
    const problem = scalarProblem(node, value)
    if (problem) report(problem)
  }
}

function walkFields(node: SchemaNode, value: Json, path: readonly string[], errors: string[]): void {
  for (const key of Object.keys(value)) {
    const at = [...path, `f:${key}`]
    if (node.type === 'object' && !node.fields.has(key) && !node.open) {
      errors.push(`${showPath(at)}: field not declared in schema`)
      // Go's walk of a map ends with the first such field.
      return
    }
    walk(fieldNode(node, key), value[key], at, errors)
  }
}

function walkItems(node: SchemaNode, list: readonly unknown[], path: readonly string[], errors: string[]): void {
  const isKeyed = node.merging === 'map' || node.merging === 'set'
  const isScalar = !['object', 'map', 'array'].includes(node.element.type)
  const seen = new Set<string>()
  for (const [index, item] of list.entries()) {
    const problem = isKeyed ? itemProblem(node, item) : undefined
    if (problem) {
      errors.push(`${showPath(path)}: element ${index}: ${problem}`)
      return
    }
    const step = isKeyed ? itemStep(node, item, index) : `i:${index}`
    if (seen.has(step)) errors.push(`${showPath(path)}: duplicate entries for key ${showPath([step])}`)
    if (isKeyed) seen.add(step)
    if (isScalar && !scalarProblem(node.element, item)) continue
    walk(node.element, item, [...path, step], errors)
  }
}
