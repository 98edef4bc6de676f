/** The order of the steps of a set in what the API shows: clients compare FieldsV1 byte by byte. */
import type { FieldSet } from './field-set.ts'

/** Sets are shared by objects that are made alike: each is put in order once. */
const known = new WeakMap<FieldSet, FieldSet>()

/** The same set with its steps in order, below them too; itself where it is so already. */
export function inOrder(set: FieldSet): FieldSet {
  const found = known.get(set)
  if (found) return found
  const steps = Object.keys(set)
  const sorted = steps.toSorted()
  const children = sorted.map(step => inOrder(set[step]!))
  const isInOrder = sorted.every((step, at) => step === steps[at] && children[at] === set[step])
  const result = isInOrder ? set : Object.fromEntries(sorted.map((step, at) => [step, children[at]!]))
  known.set(set, result)
  known.set(result, result)
  return result
}
