/**
 * Strategic merge patch: a merge patch in which lists may merge by key, steered by the schema and by directives in the
 * patch (https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/, and
 * strategic-merge-patch.md of the Kubernetes community). Only for kinds with a schema of their own.
 */
import { goPrinted, jsonType } from './go-text.ts'
import { equalJson } from './merge-patch.ts'
import type { Schema } from './schema.ts'
import type { SchemaNode } from './schema-node.ts'
import { compileSchema } from './schema-node.ts'
import { badRequest, unclassified } from './status-error.ts'

type Json = Record<string, unknown>

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ORDER = '$setElementOrder/'
const DELETE_FROM = '$deleteFromPrimitiveList/'

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object that says how to merge. */
const hasDirective = (value: unknown): value is Json => isObject(value) && Object.hasOwn(value, PATCH)

function put(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else target[key] = value
}

/**
 * `current` with the patch merged in. Changes neither; the result shares their parts. Throws StatusError BadRequest for
 * a patch that makes no sense (a list item without its merge key, an unknown directive).
 */
export function strategicMergePatch(current: unknown, patch: unknown, schema: Schema | string): unknown {
  if (!isObject(patch)) {
    throw badRequest(`json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`)
  }
  return mergeObject(compileSchema(schema), isObject(current) ? current : {}, patch)
}

/** The schema of a field, where there is one. */
function fieldOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (node?.type === 'object') return node.fields.get(key)
  return node?.type === 'map' ? node.element : undefined
}

const elementOf = (node: SchemaNode | undefined) => (node?.type === 'array' ? node.element : undefined)

function mergeObject(node: SchemaNode | undefined, current: Json, patch: Json): Json {
  const directive = patch[PATCH]
  if (directive !== undefined) {
    const { [PATCH]: _, ...rest } = patch
    if (directive === 'delete') return {}
    if (directive === 'replace') return rest
    throw unknownDirective(patch)
  }
  const result = retained(current, patch)
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(DELETE_FROM)) continue
    if (key.startsWith(ORDER)) {
      orderOnly(node, result, patch, key.slice(ORDER.length))
      continue
    }
    const value = patch[key]
    if (value === null) delete result[key]
    else if (hasDirective(value) && !isObject(result[key])) delete result[key]
    else if (!Object.hasOwn(result, key)) put(result, key, clean(ordered(fieldOf(node, key), [], value, patch, key)))
    else put(result, key, mergeField(fieldOf(node, key), result[key], value, patch, key))
  }
  deletePrimitives(result, current, patch)
  return result
}

/** A copy with the keys that `$retainKeys` names, or with all. */
function retained(current: Json, patch: Json): Json {
  const keep = patch[RETAIN_KEYS]
  if (keep === undefined) return { ...current }
  if (!Array.isArray(keep)) throw badRequest('invalid patch format of retainKeys')
  for (const key of Object.keys(patch)) {
    if (!key.startsWith('$') && patch[key] !== null && !keep.includes(key)) {
      throw badRequest('invalid patch format of retainKeys: a field of the patch is not in the list')
    }
  }
  return Object.fromEntries(Object.entries(current).filter(([key]) => keep.includes(key)))
}

function mergeField(node: SchemaNode | undefined, current: unknown, value: unknown, patch: Json, key: string): unknown {
  const strategies = node?.patchStrategy.split(',') ?? []
  if (isObject(current) && isObject(value)) {
    return strategies.includes('replace') ? value : mergeObject(node, current, value)
  }
  if (!Array.isArray(current) || !Array.isArray(value)) return clean(value)
  if (!node || !strategies.includes('merge')) return value
  const merged = node.patchMergeKey ? mergeByKey(node, current, value) : mergePrimitives(current, value)
  // What the patch names comes in the patch's order, unless it brings an order of its own.
  const sorted = sortBy(node, value, current, merged)
  return ordered(node, current, sorted, patch, key)
}

/** Appends what is not there yet; every value once. */
function mergePrimitives(current: readonly unknown[], items: readonly unknown[]): unknown[] {
  const result: unknown[] = []
  for (const item of [...current, ...items]) if (!result.some(other => equalJson(other, item))) result.push(item)
  return result
}

function keyOf(item: unknown, key: string): unknown {
  if (!isObject(item)) throw badRequest(`invalid list item ${JSON.stringify(item)}: expected an object with ${key}`)
  if (!Object.hasOwn(item, key)) {
    throw unclassified(`map: ${goPrinted(item)} does not contain declared merge key: ${key}`)
  }
  return item[key]
}

/** Items with the same key merge; `$patch: delete` takes one away, `$patch: replace` puts the patch for the whole list. */
function mergeByKey(node: SchemaNode, current: readonly unknown[], items: readonly unknown[]): unknown[] {
  const key = node.patchMergeKey
  for (const item of items) checkListDirective(item)
  const replace = items.some(item => isObject(item) && item[PATCH] === 'replace')
  if (replace) return items.filter(item => !hasDirective(item))
  let result = [...current]
  const same = (item: unknown, value: unknown) => isObject(item) && equalJson(item[key], value)
  for (const item of items) {
    const value = keyOf(item, key)
    const directive = (item as Json)[PATCH]
    if (directive === 'delete') {
      result = result.filter(other => !same(other, value))
      continue
    }
    const at = result.findIndex(other => same(other, value))
    if (at < 0) result.push(item)
    else result[at] = mergeObject(elementOf(node), result[at] as Json, item as Json)
  }
  return result
}

function checkListDirective(item: unknown): void {
  if (!hasDirective(item)) return
  const directive = item[PATCH]
  if (directive === 'merge') throw unclassified('merging lists cannot yet be specified in the patch')
  if (directive !== 'delete' && directive !== 'replace') throw unknownDirective(item)
}

const unknownDirective = (patch: Json) =>
  unclassified(`unknown patch type: ${String(patch[PATCH])} in map: ${goPrinted(patch)}`)

/** Removes the values of `$deleteFromPrimitiveList/…` from lists that the object had; added ones stay. */
function deletePrimitives(result: Json, current: Json, patch: Json): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(DELETE_FROM)) continue
    const key = directive.slice(DELETE_FROM.length)
    const values = patch[directive]
    if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list')
    const list = result[key]
    const added = Array.isArray(patch[key]) ? (patch[key] as unknown[]) : []
    if (!Array.isArray(list) || !Object.hasOwn(current, key)) continue
    put(
      result,
      key,
      list.filter(item => !values.includes(item) || added.includes(item)),
    )
  }
}

/** An order for a list that the patch does not change otherwise. */
function orderOnly(node: SchemaNode | undefined, result: Json, patch: Json, key: string): void {
  if (Object.hasOwn(patch, key) || !Array.isArray(result[key])) return
  put(result, key, ordered(fieldOf(node, key), result[key] as unknown[], result[key], patch, key))
}

/** Sorts a merged list as `$setElementOrder/…` says, where the patch has it. */
function ordered(
  node: SchemaNode | undefined,
  current: readonly unknown[],
  merged: unknown,
  patch: Json,
  key: string,
): unknown {
  const order = patch[ORDER + key]
  if (order === undefined || !Array.isArray(merged)) return merged
  if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
  const odd = node?.patchMergeKey ? order.find(item => !isObject(item)) : undefined
  if (odd !== undefined) throw unclassified(`expected a map[string]interface {}, but received a ${jsonType(odd)}`)
  return sortBy(node, order, current, merged)
}

/** Sorts by an order. Items that it does not name keep their place before the named ones that stood behind them. */
function sortBy(
  node: SchemaNode | undefined,
  order: readonly unknown[],
  current: readonly unknown[],
  merged: readonly unknown[],
): unknown[] {
  const mergeKey = node?.patchMergeKey ?? ''
  const identity = (item: unknown) => JSON.stringify(mergeKey && isObject(item) ? item[mergeKey] : item)
  const rank = new Map(order.map((item, index) => [identity(item), index]))
  // Where keys stand twice, the first one counts.
  const place = new Map([...current.entries()].reverse().map(([index, item]) => [identity(item), index]))
  const named = merged.filter(item => rank.has(identity(item)))
  named.sort((a, b) => rank.get(identity(a))! - rank.get(identity(b))!)
  const rest = merged.filter(item => !rank.has(identity(item)))
  const result: unknown[] = []
  for (const item of named) {
    const at = place.get(identity(item))
    while (at !== undefined && rest.length && (place.get(identity(rest[0])) ?? Number.POSITIVE_INFINITY) < at) {
      result.push(rest.shift())
    }
    result.push(item)
  }
  return [...result, ...rest]
}

/**
 * A value that the object did not have: without nulls, and without objects that only say how to merge. Other directives
 * stay, and are unknown fields: there is nothing that they could be about.
 */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => !hasDirective(item)).map(clean)
  if (!isObject(value)) return value
  const result: Json = {}
  for (const key of Object.keys(value)) {
    if (value[key] !== null && !hasDirective(value[key])) put(result, key, clean(value[key]))
  }
  return result
}
