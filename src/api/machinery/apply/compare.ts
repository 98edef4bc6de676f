/** How two values of one schema differ: what server-side apply and managedFields decide by. */
import { equalJson } from '../merge-patch.ts'
import { isNullZero, type SchemaNode } from '../schema-node.ts'
import type { BuildingSet, FieldSet } from './field-set.ts'
import { EMPTY, fieldStep, LEAF } from './field-set.ts'
import type { Json } from './typed.ts'
import { addedSet, Duplicates, fieldNode, itemsByStep, shapeOf } from './typed.ts'

/** How two values differ: paths that only the new one has, that have another value, that only the old one has. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

interface Differences {
  added: FieldSet | undefined
  modified: FieldSet | undefined
  removed: FieldSet | undefined
}

const SAME: Differences = { added: undefined, modified: undefined, removed: undefined }
const CHANGED: Differences = { added: undefined, modified: LEAF, removed: undefined }

/** Compares two values of a schema. `ignore` names fields of the outermost object that do not count. */
export function compareValues(node: SchemaNode, old: unknown, next: unknown, ignore?: ReadonlySet<string>): Comparison {
  const { added = EMPTY, modified = EMPTY, removed = EMPTY } = compare(node, old, next, ignore)
  return { added, modified, removed }
}

const isEmptyValue = (value: unknown) =>
  typeof value === 'object' && value !== null && (Array.isArray(value) ? !value.length : !Object.keys(value).length)

function compare(node: SchemaNode, old: unknown, next: unknown, ignore?: ReadonlySet<string>): Differences {
  if (old === next) return SAME
  const shape = shapeOf(node, next ?? old)
  const other = shapeOf(node, old ?? next)
  if (shape === 'leaf' || shape !== other) return equalJson(old, next) ? SAME : CHANGED
  // Null and empty are told apart, although nothing lies below either.
  if ((old === null && isEmptyValue(next)) || (next === null && isEmptyValue(old))) return CHANGED
  if (shape === 'items') return compareItems(node, (old ?? []) as unknown[], (next ?? []) as unknown[])
  return compareFields(node, (old ?? {}) as Json, (next ?? {}) as Json, ignore)
}

/** Collects what was found below one step. */
class Collector {
  added: BuildingSet | undefined
  modified: BuildingSet | undefined
  removed: BuildingSet | undefined

  add(step: string, found: Differences): void {
    if (found === SAME) return
    if (found.added) (this.added ??= {})[step] = found.added
    if (found.modified) (this.modified ??= {})[step] = found.modified
    if (found.removed) (this.removed ??= {})[step] = found.removed
  }
}

function compareFields(node: SchemaNode, old: Json, next: Json, ignore: ReadonlySet<string> | undefined): Differences {
  const result = new Collector()
  // Not `for … in`: V8 forgets what it learned of such a loop, and compiles this over and over.
  for (const key of Object.keys(next)) {
    const value = next[key]
    if (value === undefined || ignore?.has(key)) continue
    const before = old[key]
    if (before === value) continue
    const child = fieldNode(node, key)
    result.add(fieldStep(key), before === undefined ? appeared(node, key, child, value) : compare(child, before, value))
  }
  for (const key of Object.keys(old)) {
    if (old[key] === undefined || next[key] !== undefined || ignore?.has(key)) continue
    result.add(fieldStep(key), disappeared(node, key, fieldNode(node, key), old[key]))
  }
  return result
}

/** Lists and times that Go shows as null are there before they are filled, although we leave them out. */
function appeared(parent: SchemaNode, key: string, node: SchemaNode, value: unknown): Differences {
  if (isNullZero(parent, key)) return compare(node, null, value)
  return { added: addedSet(node, value), modified: undefined, removed: undefined }
}

function disappeared(parent: SchemaNode, key: string, node: SchemaNode, value: unknown): Differences {
  if (isNullZero(parent, key)) return compare(node, value, null)
  return { added: undefined, modified: undefined, removed: addedSet(node, value) }
}

function compareItems(node: SchemaNode, old: readonly unknown[], next: readonly unknown[]): Differences {
  const result = new Collector()
  const before = itemsByStep(node, old)
  const after = itemsByStep(node, next)
  for (const [step, item] of after) {
    const was = before.get(step)
    if (!before.has(step)) {
      const added = item instanceof Duplicates ? LEAF : addedSet(node.element, item)
      result.add(step, { added, modified: undefined, removed: undefined })
    } else if (item instanceof Duplicates && was instanceof Duplicates) {
      if (!equalJson(was.items, item.items)) result.add(step, CHANGED)
    } else if (item instanceof Duplicates) {
      result.add(step, { added: LEAF, modified: undefined, removed: addedSet(node.element, was) })
    } else if (was instanceof Duplicates) {
      result.add(step, { added: addedSet(node.element, item), modified: undefined, removed: LEAF })
    } else result.add(step, compare(node.element, was, item))
  }
  for (const [step, item] of before) {
    if (after.has(step)) continue
    const removed = item instanceof Duplicates ? LEAF : addedSet(node.element, item)
    result.add(step, { added: undefined, modified: undefined, removed })
  }
  return result
}
