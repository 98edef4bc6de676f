/**
 * Values walked by their schema for server-side apply, after sigs.k8s.io/structured-merge-diff: which paths a value
 * holds, one value merged into another, paths taken away. What a schema leaves open is deduced:
 * objects are granular, lists atomic.
 */
import type { SchemaNode } from '../schema-node.ts'
import type { BuildingSet, FieldSet } from './field-set.ts'
import { belowStep, EMPTY, fieldStep, hasStep, isEmptySet, LEAF, memberWith, stepOf } from './field-set.ts'

export type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** How a value is owned: as one, by its fields, or by its items. */
export type Shape = 'leaf' | 'fields' | 'items'

export function shapeOf(node: SchemaNode, value: unknown): Shape {
  if (typeof value !== 'object' || value === null) {
    // Null and absent take the shape of the schema.
    if (node.merging === 'atomic' || value !== null) return 'leaf'
    return node.type === 'array' ? 'items' : node.type === 'object' || node.type === 'map' ? 'fields' : 'leaf'
  }
  if (Array.isArray(value)) return node.type === 'array' && node.merging !== 'atomic' ? 'items' : 'leaf'
  if (node.merging === 'atomic') return 'leaf'
  return node.type === 'object' || node.type === 'map' || node.type === 'any' ? 'fields' : 'leaf'
}

/** The schema of a field of an object or map. */
export function fieldNode(node: SchemaNode, key: string): SchemaNode {
  if (node.type === 'object') return node.fields.get(key) ?? ANY
  return node.type === 'map' ? node.element : ANY
}

/** A declared field, as opposed to a key of a map. */
const isDeclared = (node: SchemaNode, key: string) => node.type === 'object' && node.fields.has(key)

const ANY = { type: 'any', merging: 'granular', fields: new Map(), zeros: [] } as unknown as SchemaNode

/** A list item by keys that has none of them: such a list cannot be owned. */
export class WithoutKeys extends Error {
  /** Where the list is, once it is known. */
  path: readonly string[] | undefined
  constructor(keys: readonly string[], index: number) {
    super(`element ${index}: ${omitsKeys(keys)}`)
  }
}

/** What is wrong with an item that has none of its list's keys. */
export function omitsKeys(keys: readonly string[]): string {
  const names = keys.map(key => JSON.stringify(key)).join(' ')
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`
}

/** The step of a list item: its keys, or its value. Throws WithoutKeys for an item that has no key. */
export function itemStep(node: SchemaNode, item: unknown, index: number): string {
  if (node.merging === 'set') return typeof item === 'object' ? `i:${index}` : `v:${JSON.stringify(item)}`
  if (!isObject(item)) return `i:${index}`
  const { keys } = node
  let text = ''
  for (const key of keys) {
    const value = item[key] ?? node.keyDefaults[key]
    if (value !== undefined) text += `${text && ','}"${key}":${JSON.stringify(value)}`
  }
  if (!text) throw new WithoutKeys(keys, index)
  return `k:{${text}}`
}

/** Items by step. Where a step stands more than once, all items of it are one value: the list of them. */
export function itemsByStep(node: SchemaNode, list: readonly unknown[]): Map<string, unknown> {
  const result = new Map<string, unknown>()
  list.forEach((item, index) => {
    const step = itemStep(node, item, index)
    const seen = result.get(step)
    if (!result.has(step)) result.set(step, item)
    else if (seen instanceof Duplicates) seen.items.push(item)
    else result.set(step, new Duplicates(seen, item))
  })
  return result
}

/** All items of a list that have the same step. */
export class Duplicates {
  readonly items: unknown[]
  constructor(...items: unknown[]) {
    this.items = items
  }
}

function stepAt(node: SchemaNode, item: unknown, index: number, path: readonly string[]): string {
  try {
    return itemStep(node, item, index)
  } catch (error) {
    if (error instanceof WithoutKeys) error.path ??= path
    throw error
  }
}

/** The first step that stands more than once in a list that must not have that; undefined where there is none. Throws as itemStep, with the path. */
export function findDuplicate(node: SchemaNode, value: unknown, path: readonly string[] = []): string[] | undefined {
  const shape = shapeOf(node, value)
  if (shape === 'items') {
    const seen = new Set<string>()
    for (const [index, item] of ((value as unknown[] | null) ?? []).entries()) {
      const step = stepAt(node, item, index, path)
      if (seen.has(step)) return [...path, step]
      seen.add(step)
      if (typeof item !== 'object') continue
      const found = findDuplicate(node.element, item, [...path, step])
      if (found) return found
    }
  } else if (shape === 'fields') {
    for (const [key, inner] of Object.entries((value as Json | null) ?? {})) {
      const found = findDuplicate(fieldNode(node, key), inner, [...path, fieldStep(key)])
      if (found) return found
    }
  }
  return undefined
}

/** The paths that somebody who wrote this value owns: its leaves, list items and keys of maps. */
export function fieldSetOf(node: SchemaNode, value: unknown): FieldSet {
  return owned(node, value) ?? EMPTY
}

function owned(node: SchemaNode, value: unknown): FieldSet | undefined {
  const shape = shapeOf(node, value)
  if (shape === 'leaf') return LEAF
  if (value === null) return undefined
  const result: BuildingSet = {}
  if (shape === 'items') {
    for (const [step, item] of itemsByStep(node, value as unknown[])) {
      result[step] = item instanceof Duplicates ? LEAF : memberWith(owned(node.element, item))
    }
    return isEmptySet(result) ? undefined : result
  }
  for (const key in value as Json) {
    const inner = (value as Json)[key]
    if (inner === undefined) continue
    const children = owned(fieldNode(node, key), inner)
    const member = inner === null || (isObject(inner) && isEmptySet(inner as FieldSet)) || !isDeclared(node, key)
    if (children === LEAF || (member && !children)) result[fieldStep(key)] = LEAF
    else if (children) result[fieldStep(key)] = member ? memberWith(children) : children
  }
  return isEmptySet(result) ? undefined : result
}

/** Every path of a value that was not there before: containers too. Keys in `skip` are left out (one level only). */
export function addedSet(node: SchemaNode, value: unknown): FieldSet {
  const shape = shapeOf(node, value)
  if (shape === 'leaf' || value === null) return LEAF
  const result: BuildingSet = { '.': LEAF }
  let empty = true
  if (shape === 'items') {
    for (const [step, item] of itemsByStep(node, value as unknown[])) {
      result[step] = item instanceof Duplicates ? LEAF : addedSet(node.element, item)
      empty = false
    }
  } else if (node.type === 'map' && node.element.merging === 'atomic') {
    for (const key in value as Json) {
      result[fieldStep(key)] = LEAF
      empty = false
    }
  } else {
    for (const key in value as Json) {
      if ((value as Json)[key] === undefined) continue
      result[fieldStep(key)] = addedSet(fieldNode(node, key), (value as Json)[key])
      empty = false
    }
    // What Go shows as null is there too, although we leave it out.
    for (const [key, zero] of node.zeros) {
      if (zero !== null || (value as Json)[key] !== undefined) continue
      result[fieldStep(key)] = LEAF
      empty = false
    }
  }
  return empty ? LEAF : result
}

function put(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else target[key] = value
}

/** `live` with `applied` merged in. Changes neither; the result shares their parts. */
export function mergeValues(node: SchemaNode, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live
  if (live === undefined || live === null || applied === null) return applied
  const shape = shapeOf(node, applied)
  if (shape === 'leaf' || shape !== shapeOf(node, live)) return applied
  if (shape === 'items') return mergeItems(node, live as unknown[], applied as unknown[])
  const result: Json = { ...(live as Json) }
  for (const key in applied as Json) {
    put(result, key, mergeValues(fieldNode(node, key), result[key], (applied as Json)[key]))
  }
  return result
}

/** Items of `applied` in their order; items that only `live` has keep their place before the next shared one. */
function mergeItems(node: SchemaNode, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const mine = live.map((item, index) => itemStep(node, item, index))
  const theirs = applied.map((item, index) => itemStep(node, item, index))
  const byStep = new Map(mine.map((step, index) => [step, live[index]]))
  const wanted = new Set(theirs)
  const shared = theirs.filter(step => byStep.has(step))
  const result: unknown[] = []
  let at = 0
  let nextShared = 0
  theirs.forEach((step, index) => {
    for (; at < mine.length; at++) {
      const current = mine[at]!
      if (!wanted.has(current)) result.push(live[at])
      else if (current === step || current === shared[nextShared]) break
    }
    const merged = byStep.has(step) ? mergeValues(node.element, byStep.get(step), applied[index]) : applied[index]
    result.push(merged)
    if (mine[at] === step) at++
    if (shared[nextShared] === step) nextShared++
  })
  for (; at < mine.length; at++) if (!wanted.has(mine[at]!)) result.push(live[at])
  return result
}

/** The value without the paths of a set. What loses everything becomes null. Changes nothing. */
export function removePaths(node: SchemaNode, value: unknown, set: FieldSet): unknown {
  const shape = shapeOf(node, value)
  if (shape === 'leaf' || value === null || isEmptySet(set)) return value
  if (shape === 'items') {
    const kept: unknown[] = []
    for (const [index, item] of (value as unknown[]).entries()) {
      const step = itemStep(node, item, index)
      if (hasStep(set, step)) continue
      const inner = belowStep(set, step)
      kept.push(isEmptySet(inner) ? item : removePaths(node.element, item, inner))
    }
    return kept.length ? kept : null
  }
  const kept: Json = {}
  let any = false
  for (const key in value as Json) {
    const step = fieldStep(key)
    if (hasStep(set, step)) continue
    const inner = belowStep(set, step)
    const old = (value as Json)[key]
    put(kept, key, isEmptySet(inner) ? old : removeBelow(fieldNode(node, key), old, inner))
    any = true
  }
  return any ? kept : null
}

/** Something lies below an atomic value that is to go: the value goes as one. */
function removeBelow(node: SchemaNode, value: unknown, set: FieldSet): unknown {
  if (typeof value === 'object' && value !== null && shapeOf(node, value) === 'leaf') return null
  return removePaths(node, value, set)
}

/** The set with every declared field on the way to its paths in it. */
export function withNamedFields(node: SchemaNode, set: FieldSet): FieldSet {
  const result: BuildingSet = {}
  for (const step in set) {
    if (step === '.') continue
    const named = step.startsWith('f:') && isDeclared(node, step.slice(2))
    const child = step.startsWith('f:') ? fieldNode(node, step.slice(2)) : node.element
    const children = withNamedFields(child ?? ANY, belowStep(set, step))
    const made = stepOf(named || hasStep(set, step), children)
    if (made) result[step] = made
  }
  return result
}

/** The value without nulls in its objects, as a decoder would leave it. Shares what has none. */
export function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(dropNulls)
    return items.every((item, index) => item === value[index]) ? value : items
  }
  if (!isObject(value)) return value
  let result: Json | undefined
  for (const key in value) {
    const inner = value[key]
    const next = inner === null ? undefined : dropNulls(inner)
    if (next === inner) continue
    result ??= { ...value }
    if (next === undefined) delete result[key]
    else put(result, key, next)
  }
  return result ?? value
}
