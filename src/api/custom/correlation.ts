/**
 * A new value beside the old one that it came from, so that validation can let unchanged parts pass: fields go by their
 * name, items of a list by their keys where the list is a map, and of other lists not at all
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-ratcheting).
 */
import { equalJson } from '../machinery/merge-patch.ts'
import type { CustomNode } from './node.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys of an item of a list map, as one text. */
export function itemKey(node: CustomNode, item: unknown): string | undefined {
  if (!isObject(item)) return undefined
  // An absent key counts as its default.
  return JSON.stringify(node.listMapKeys.map(key => item[key] ?? node.items?.properties.get(key)?.default ?? null))
}

export class Correlation {
  readonly node: CustomNode
  readonly value: unknown
  readonly old: unknown
  #equal: boolean | undefined
  #children: Map<string | number, Correlation | undefined> | undefined
  #oldItems: Map<string, unknown> | undefined

  constructor(node: CustomNode, value: unknown, old: unknown) {
    this.node = node
    this.value = value
    this.old = old
  }

  /** The field of an object or map; undefined where there was none before. */
  field(name: string): Correlation | undefined {
    return this.#child(name, () => {
      if (!isObject(this.value) || !isObject(this.old)) return undefined
      const of = this.node.properties.get(name) ?? this.node.values
      if (!of || this.value[name] === undefined || this.old[name] === undefined) return undefined
      return new Correlation(of, this.value[name], this.old[name])
    })
  }

  /** The item of a list that is a map; undefined where none had its keys before. */
  item(index: number): Correlation | undefined {
    return this.#child(index, () => {
      const { node, value, old } = this
      if (node.listType !== 'map' || !node.items || !Array.isArray(value) || !Array.isArray(old)) return undefined
      const key = itemKey(node, value[index])
      if (key === undefined) return undefined
      this.#oldItems ??= new Map(old.toReversed().map(item => [itemKey(node, item) ?? '', item]))
      const before = this.#oldItems.get(key)
      return before === undefined || before === null ? undefined : new Correlation(node.items, value[index], before)
    })
  }

  /** Nothing changed, here and below. */
  get unchanged(): boolean {
    return (this.#equal ??= this.#compare())
  }

  #child(step: string | number, make: () => Correlation | undefined): Correlation | undefined {
    this.#children ??= new Map()
    if (this.#children.has(step)) return this.#children.get(step)
    const made = make()
    this.#children.set(step, made)
    return made
  }

  #compare(): boolean {
    const { value, old, node } = this
    if (node.listType === 'map' && Array.isArray(value) && Array.isArray(old)) {
      // The order of a map's items does not count.
      return value.length === old.length && value.every((_, index) => this.item(index)?.unchanged === true)
    }
    return equalJson(value, old)
  }
}
