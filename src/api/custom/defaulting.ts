/** Fills in what a schema has defaults for, in place. Defaults are copied, so objects share nothing. */
import { cloneJson } from '../../lib/json.ts'
import type { CustomNode } from './node.ts'

type Json = Record<string, unknown>

const isMisplacedNull = (value: unknown, node: CustomNode | undefined) => value === null && node && !node.nullable

/** Applies the defaults of `node` to what lies below `value`. */
export function applyDefaults(value: unknown, node: CustomNode | undefined): void {
  if (!node?.has.defaults || typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) applyToItems(value, node.items)
  else applyToFields(value as Json, node)
}

function applyToFields(object: Json, node: CustomNode): void {
  for (const [name, property] of node.properties) {
    if (property.default === undefined) continue
    if (object[name] === undefined || isMisplacedNull(object[name], property)) {
      object[name] = cloneJson(property.default)
    }
  }
  for (const key in object) {
    const property = node.properties.get(key)
    if (property) applyDefaults(object[key], property)
    else if (node.values) {
      if (isMisplacedNull(object[key], node.values)) object[key] = cloneJson(node.values.default ?? null)
      applyDefaults(object[key], node.values)
    }
  }
}

function applyToItems(list: unknown[], items: CustomNode | undefined): void {
  if (!items) return
  for (let i = 0; i < list.length; i++) {
    if (isMisplacedNull(list[i], items)) list[i] = cloneJson(items.default ?? null)
    applyDefaults(list[i], items)
  }
}
