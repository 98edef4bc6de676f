/**
 * Equal sets of fields as one: objects that are made alike have the same owners of the same fields, and need not each
 * keep them.
 */
import type { FieldSet } from './field-set.ts'
import { isEmptySet, LEAF } from './field-set.ts'

/** What is known of sets that begin with the same steps. */
interface Beginning {
  /** The set that ends here. */
  set: FieldSet | undefined
  /** By the next step, then by what lies below it. */
  readonly next: Map<string, Map<FieldSet, Beginning>>
}

/** Beginnings that are remembered; then all are forgotten. */
const LIMIT = 20_000

const beginning = (): Beginning => ({ set: undefined, next: new Map() })

let root = beginning()
let size = 0

/** An equal set, steps in the same order: the one that was first asked for, while it is remembered. Not to be changed. */
export function sharedSet(set: FieldSet): FieldSet {
  if (isEmptySet(set)) return LEAF
  if (size > LIMIT) {
    root = beginning()
    size = 0
  }
  let at = root
  let isShared = true
  const children: FieldSet[] = []
  const steps = Object.keys(set)
  for (const step of steps) {
    const child = sharedSet(set[step]!)
    children.push(child)
    isShared &&= child === set[step]
    let below = at.next.get(step)
    if (!below) at.next.set(step, (below = new Map()))
    let next = below.get(child)
    if (!next) {
      below.set(child, (next = beginning()))
      size++
    }
    at = next
  }
  return (at.set ??= isShared ? set : Object.fromEntries(steps.map((step, index) => [step, children[index]!])))
}
