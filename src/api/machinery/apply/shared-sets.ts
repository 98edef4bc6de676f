/**
 * Equal sets of fields as one, with their steps in the order in which the API shows them (clients compare FieldsV1 byte by
 * byte): objects that are made alike have the same owners of the same fields, and need not each keep them.
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
const LIMIT = 5000

const beginning = (): Beginning => ({ set: undefined, next: new Map() })

let root = beginning()
let size = 0

/** Sets that were given out: objects are written again and again with the same ones. */
const shared = new WeakSet<FieldSet>()

/** An equal set, in order: the same for all that are asked for while it is remembered. Not to be changed. */
export function sharedSet(set: FieldSet): FieldSet {
  if (shared.has(set)) return set
  const found = find(set)
  shared.add(found)
  return found
}

const isInOrder = (steps: readonly string[]) => steps.every((step, at) => at === 0 || steps[at - 1]! < step)

function find(set: FieldSet): FieldSet {
  if (isEmptySet(set)) return LEAF
  if (size > LIMIT) {
    root = beginning()
    size = 0
  }
  let at = root
  let steps = Object.keys(set)
  let isShared = isInOrder(steps)
  if (!isShared) steps = steps.toSorted()
  const children: FieldSet[] = []
  for (const step of steps) {
    const child = find(set[step]!)
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
