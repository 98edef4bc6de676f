/**
 * Takes out of an object what its schema does not know
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning).
 */
import type { CustomNode } from './node.ts'

type Json = Record<string, unknown>

const META: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const below = (path: string, key: string) => (path ? `${path}.${key}` : key)

/**
 * Prunes in place. apiVersion, kind and metadata stay at the root, and where `x-kubernetes-embedded-resource` stands.
 * Returns the paths of what was taken, sorted.
 */
export function pruneUnknown(value: unknown, root: CustomNode, isResource: boolean): string[] {
  const unknown: string[] = []
  prune(value, root, isResource || root.embedded, '', unknown)
  return unknown.sort()
}

function prune(value: unknown, node: CustomNode | undefined, embedded: boolean, path: string, unknown: string[]): void {
  if (typeof value !== 'object' || value === null) return
  if (node?.preserveUnknown) {
    pruneKnownOnly(value, node, embedded, path, unknown)
    return
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) descend(value[i], node?.items, `${path}[${i}]`, unknown)
    return
  }
  const object = value as Json
  for (const key in object) {
    if (embedded && META.has(key)) continue
    const property = node?.properties.get(key)
    if (property) {
      const inner = object[key]
      if (typeof inner === 'object' && inner !== null) descend(inner, property, below(path, key), unknown)
    } else if (node && node.additional !== undefined) {
      descend(object[key], node.values, below(path, key), unknown)
    } else {
      unknown.push(below(path, key))
      delete object[key]
    }
  }
}

const descend = (value: unknown, node: CustomNode | undefined, path: string, unknown: string[]) =>
  prune(value, node, node?.embedded === true, path, unknown)

/** Where unknown fields are preserved, known ones are pruned below all the same. */
function pruneKnownOnly(value: object, node: CustomNode, embedded: boolean, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    const { items } = node
    if (!items) return
    value.forEach((item, i) => {
      if (typeof item === 'object' && item !== null) {
        pruneKnownOnly(item, items, items.embedded, `${path}[${i}]`, unknown)
      }
    })
    return
  }
  for (const key in value) {
    if (embedded && META.has(key)) continue
    const property = node.properties.get(key) ?? (node.additional === undefined ? undefined : node.values)
    const known = node.properties.has(key) || node.additional !== undefined
    if (known) descend((value as Json)[key], property, below(path, key), unknown)
  }
}

/** Takes out, in place, nulls of fields that may not be null; those that have a default stay, to be replaced by it. */
export function pruneNulls(value: unknown, node: CustomNode | undefined): void {
  if (!node) return
  if (Array.isArray(value)) {
    if (node.items) for (const item of value) pruneNulls(item, node.items)
  } else if (isObject(value)) {
    for (const key in value) {
      const inner = value[key]
      const of = node.properties.get(key) ?? node.values
      if (inner === null && of && !of.nullable && of.default === undefined) delete value[key]
      else if (typeof inner === 'object') pruneNulls(inner, of)
    }
  }
}
