/**
 * Sets of field paths, in the form in which the API shows them: FieldsV1 of metadata.managedFields (KEP-555,
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#fieldsv1). The JSON is the set; there is no second
 * form. A field of the JSON is one step: `f:name`, `k:{"name":"x"}` (list item by keys), `v:"x"` (set item), `i:0`.
 * A step with nothing below it is in the set itself; one with steps below it is in the set when `.` stands beside them.
 *
 * Sets are values: no function changes its arguments, and results share their parts.
 */

export interface FieldSet {
  readonly [step: string]: FieldSet
}

/** A set while it is built. */
export type BuildingSet = Record<string, FieldSet>

/** What a step without anything below it holds; as a whole set, the empty one. */
export const LEAF: FieldSet = Object.freeze({})

export const EMPTY: FieldSet = LEAF

const SELF = '.'

/** Names of fields that are remembered with their steps. */
const STEPS_LIMIT = 10_000
const steps = new Map<string, string>()

/** The step of a field. Remembered: putting it together anew for every field of every write takes longer. */
export function fieldStep(name: string): string {
  let step = steps.get(name)
  if (step === undefined) {
    step = `f:${name}`
    if (steps.size >= STEPS_LIMIT) steps.clear()
    steps.set(name, step)
  }
  return step
}

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** Whether what a step holds says that the step itself is in the set. */
const isMember = (below: FieldSet) => SELF in below || isEmptySet(below)

/** What a step holds, from whether it is in the set itself and what lies below it. Undefined: nothing of both. */
function below(member: boolean, children: BuildingSet | undefined): FieldSet | undefined {
  if (!children || isEmptySet(children)) return member ? LEAF : undefined
  return member ? { [SELF]: LEAF, ...children } : children
}

/** Every path that is in one of them. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || a === b) return b
  if (isEmptySet(b)) return a
  const result: BuildingSet = { ...a }
  for (const step in b) {
    if (step === SELF) continue
    const [x, y] = [a[step], b[step]!]
    result[step] = x ? unionBelow(x, y) : y
  }
  return result
}

function unionBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const children = withoutSelf(union(withoutSelf(a), withoutSelf(b)))
  return below(isMember(a) || isMember(b), children as BuildingSet)!
}

function withoutSelf(set: FieldSet): FieldSet {
  if (!(SELF in set)) return set
  const { [SELF]: _, ...rest } = set
  return rest
}

/** The paths of `a` that are not in `b`. A path in `b` takes nothing away that lies below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a
  let result: BuildingSet | undefined
  for (const step in a) {
    const other = b[step]
    if (step === SELF || !other) continue
    const own = a[step]!
    const inner = withoutSelf(own)
    const rest = difference(inner, withoutSelf(other))
    const member = isMember(own) && !isMember(other)
    if (rest === inner && member === isMember(own)) continue
    const left = below(member, rest)
    result ??= { ...a }
    if (left) result[step] = left
    else delete result[step]
  }
  return result ?? a
}

/** The paths of `a` that are neither in `b` nor below a path of `b`. */
export function differenceRecursive(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a
  const result: BuildingSet = {}
  for (const step in a) {
    if (step === SELF) continue
    const [own, other] = [a[step]!, b[step]]
    if (!other) result[step] = own
    else if (!isMember(other)) {
      const left = below(isMember(own), differenceRecursive(withoutSelf(own), withoutSelf(other)))
      if (left) result[step] = left
    }
  }
  return result
}

/** The paths that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: BuildingSet = {}
  for (const step in a) {
    const other = b[step]
    if (step === SELF || !other) continue
    const own = a[step]!
    const both = below(isMember(own) && isMember(other), intersection(withoutSelf(own), withoutSelf(other)))
    if (both) result[step] = both
  }
  return result
}

/** Whether the step is in the set itself. */
export const hasStep = (set: FieldSet, step: string): boolean => {
  const found = set[step]
  return found !== undefined && isMember(found)
}

/** What lies below a step; the empty set where nothing does. */
export const belowStep = (set: FieldSet, step: string): FieldSet => {
  const found = set[step]
  return found ? withoutSelf(found) : EMPTY
}

/** A step with a member and what lies below it. */
export function memberWith(children: FieldSet | undefined): FieldSet {
  return below(true, children && (withoutSelf(children) as BuildingSet))!
}

/** A step that is a member where `member` is true, with what lies below it; undefined where there is neither. */
export const stepOf = (member: boolean, children: FieldSet): FieldSet | undefined =>
  below(member, withoutSelf(children) as BuildingSet)

/** Whether what a step holds includes the step itself. */
export const includesSelf = isMember

const KINDS = 'fkvi'
const compareSteps = (a: string, b: string) => KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!) || (a < b ? -1 : 1)

/** Every path of a set, each as its steps, in the order in which messages say them: what is short comes first. */
export function pathsOf(set: FieldSet): string[][] {
  const result: string[][] = []
  const walk = (at: FieldSet, path: readonly string[]) => {
    const steps = Object.keys(at).filter(step => step !== SELF)
    steps.sort(compareSteps)
    for (const step of steps) if (isMember(at[step]!)) result.push([...path, step])
    for (const step of steps) walk(at[step]!, [...path, step])
  }
  walk(set, [])
  return result
}

/** The set of the given paths of plain fields, e.g. `['status'], ['metadata', 'labels']`. */
export function setOfFields(...paths: readonly (readonly string[])[]): FieldSet {
  let result: FieldSet = EMPTY
  for (const path of paths) {
    let node: FieldSet = LEAF
    for (const name of [...path].reverse()) node = { [`f:${name}`]: node }
    result = union(result, node)
  }
  return result
}

/** A path as messages show it: `.spec.containers[name="web"].image`. */
export function showPath(steps: readonly string[]): string {
  return steps.map(showStep).join('')
}

function showStep(step: string): string {
  const text = step.slice(2)
  switch (step[0]) {
    case 'f':
      return `.${text}`
    case 'k': {
      const keys = Object.entries(JSON.parse(text) as Record<string, unknown>)
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`
    }
    case 'v':
      return `[=${text}]`
    default:
      return `[${text}]`
  }
}

/** Reads a set from an entry of managedFields; unknown kinds of steps are dropped, anything malformed is undefined. */
export function parseFieldSet(fields: unknown): FieldSet | undefined {
  if (fields === undefined || fields === null) return EMPTY
  return wellFormed(fields) ? (fields as FieldSet) : undefined
}

function wellFormed(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return false
  for (const step in fields) {
    if (step !== SELF && (step[1] !== ':' || !'fkvi'.includes(step[0]!))) return false
    if (!wellFormed((fields as Record<string, unknown>)[step])) return false
  }
  return true
}
