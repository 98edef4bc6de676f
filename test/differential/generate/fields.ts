/** Walks over an object beside its schema, to find every field that can be made wrong. */
import type { SchemaNode } from '../../../src/api/machinery/schema-node.ts'

export type Path = readonly (string | number)[]

export interface Field {
  readonly path: Path
  readonly node: SchemaNode
  readonly value: unknown
  /** Go type and field that the value belongs to, e.g. `v1.Container.image`; the same field in two places has the same. */
  readonly identity: string
}

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every field that is filled, outer ones first. Of a list only the first item is entered, unless all differ in kind. */
export function* filled(node: SchemaNode, value: unknown, path: Path = [], identity = node.goType): Generator<Field> {
  if (path.length) yield { path, node, value, identity }
  if (node.type === 'object' && isObject(value)) {
    for (const [key, inner] of Object.entries(value)) {
      const child = node.fields.get(key)
      if (child) yield* filled(child, inner, [...path, key], `${node.goType}.${key}`)
    }
  } else if (node.type === 'map' && isObject(value)) {
    const [first] = Object.entries(value)
    if (first) yield* filled(node.element, first[1], [...path, first[0]], `${identity}.*`)
  } else if (node.type === 'array' && Array.isArray(value)) {
    for (const [index, inner] of value.entries()) yield* filled(node.element, inner, [...path, index], `${identity}[]`)
  }
}

/** Every field that is not filled, of the objects that are. */
export function* absent(node: SchemaNode, value: unknown, path: Path = []): Generator<Field> {
  if (node.type === 'object' && isObject(value)) {
    for (const [key, child] of node.fields) {
      const inner = value[key]
      if (inner === undefined) {
        yield { path: [...path, key], node: child, value: undefined, identity: `${node.goType}.${key}` }
      } else yield* absent(child, inner, [...path, key])
    }
  } else if (node.type === 'array' && Array.isArray(value)) {
    for (const [index, inner] of value.entries()) yield* absent(node.element, inner, [...path, index])
  }
}

/** A copy of an object with one field set, or taken away where `value` is undefined. */
export function withField(object: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(object)
  let target = copy as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) target = target[step] as Record<string | number, unknown>
  const last = path.at(-1)!
  if (value !== undefined) target[last] = value
  else if (Array.isArray(target)) target.splice(last as number, 1)
  else delete target[last]
  return copy
}

/** A path as it stands in a case's title: `spec.containers[0].name`. */
export const titleOf = (path: Path) =>
  path
    .map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '')

/** A path as JSON patch wants it. */
export const pointerOf = (path: Path) =>
  path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
