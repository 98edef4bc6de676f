/** JSON Patch (RFC 6902), with the answers that Kubernetes gives where it cannot be applied. */
import { equalJson } from './merge-patch.ts'
import { badRequest, requestEntityTooLarge, StatusError } from './status-error.ts'

export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  /** JSON Pointer (RFC 6901). */
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const MAX_OPERATIONS = 10_000
const OPERATIONS: ReadonlySet<string> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

type Container = Record<string, unknown> | unknown[]

/** Why an operation does not apply. */
class PatchProblem extends Error {}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

function pointer(path: unknown): string[] {
  if (path === '') return []
  if (typeof path !== 'string' || !path.startsWith('/')) throw new PatchProblem(`bad path ${JSON.stringify(path)}`)
  const steps = path.slice(1).split('/')
  return path.includes('~') ? steps.map(step => step.replaceAll('~1', '/').replaceAll('~0', '~')) : steps
}

/** The index that a step means in an array; `-` and the length only where something is added. */
function index(list: readonly unknown[], step: string, adding: boolean): number {
  if (adding && step === '-') return list.length
  if (!/^(0|[1-9]\d*)$/.test(step)) throw new PatchProblem(`value was not a proper array index: '${step}'`)
  const at = Number(step)
  if (at > (adding ? list.length : list.length - 1)) throw new PatchProblem(`Unable to access invalid index: ${at}`)
  return at
}

/** What stands at a step; undefined where nothing does. */
function read(container: Container, step: string): unknown {
  if (Array.isArray(container)) return container[index(container, step, false)]
  return Object.hasOwn(container, step) ? container[step] : undefined
}

function write(container: Container, step: string, value: unknown): void {
  if (Array.isArray(container)) container.splice(index(container, step, true), 0, value)
  else Object.defineProperty(container, step, { value, enumerable: true, configurable: true, writable: true })
}

/** The object that a patch works on. Containers are copied when first reached, so that the input stays as it is. */
interface Draft {
  root: unknown
  readonly own: WeakSet<object>
}

function ownCopy(draft: Draft, value: Container): Container {
  if (draft.own.has(value)) return value
  const copy = Array.isArray(value) ? [...value] : { ...value }
  draft.own.add(copy)
  return copy
}

/** The container of the last step, made changeable along the way. */
function parentOf(draft: Draft, steps: readonly string[], operation: PatchOperation): Container {
  const missing = () => {
    const { op, path } = operation
    return new PatchProblem(
      `${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`,
    )
  }
  if (!isContainer(draft.root)) throw missing()
  let container = ownCopy(draft, draft.root)
  draft.root = container
  for (const step of steps.slice(0, -1)) {
    const next = read(container, step)
    if (!isContainer(next)) throw missing()
    const copy = ownCopy(draft, next)
    if (Array.isArray(container)) container[index(container, step, false)] = copy
    else write(container, step, copy)
    container = copy
  }
  return container
}

function valueAt(draft: Draft, path: string | undefined): unknown {
  let value = draft.root
  for (const step of pointer(path)) {
    const next = isContainer(value) ? read(value, step) : undefined
    if (next === undefined) throw new PatchProblem(`doc is missing path: ${path}: missing value`)
    value = next
  }
  return value
}

/** What is to be copied; null where only the last field is not there. */
function copied(draft: Draft, path: string | undefined): unknown {
  const steps = pointer(path)
  let value = draft.root
  for (const step of steps.slice(0, -1)) value = isContainer(value) ? read(value, step) : undefined
  const last = steps.at(-1)
  const isOpen = isContainer(value) && !Array.isArray(value) && last !== undefined
  return isOpen && read(value as Container, last) === undefined ? null : valueAt(draft, path)
}

function add(draft: Draft, operation: PatchOperation, value: unknown): void {
  const steps = pointer(operation.path)
  if (!steps.length) draft.root = value
  else write(parentOf(draft, steps, operation), steps.at(-1)!, value)
}

function remove(draft: Draft, path: string, operation: PatchOperation): void {
  const steps = pointer(path)
  const step = steps.at(-1)
  if (step === undefined) throw new PatchProblem('remove operation does not apply: the whole document')
  const container = parentOf(draft, steps, operation)
  if (Array.isArray(container)) container.splice(index(container, step, false), 1)
  else if (Object.hasOwn(container, step)) delete container[step]
  else throw new PatchProblem(`Unable to remove nonexistent key: ${step}: missing value`)
}

function replace(draft: Draft, operation: PatchOperation): void {
  const steps = pointer(operation.path)
  const step = steps.at(-1)
  if (step === undefined) {
    draft.root = operation.value
    return
  }
  const container = parentOf(draft, steps, operation)
  if (Array.isArray(container)) container[index(container, step, false)] = operation.value
  else write(container, step, operation.value)
}

function test(draft: Draft, operation: PatchOperation): void {
  let actual: unknown = draft.root
  for (const step of pointer(operation.path)) actual = isContainer(actual) ? read(actual, step) : undefined
  if (!equalJson(actual ?? null, operation.value ?? null)) {
    throw new PatchProblem(`testing value ${operation.path} failed: test failed`)
  }
}

function apply(draft: Draft, operation: PatchOperation): void {
  const { op, path, from, value } = operation
  if (op === 'add') add(draft, operation, value ?? null)
  else if (op === 'remove') remove(draft, path, operation)
  else if (op === 'replace') replace(draft, operation)
  else if (op === 'test') test(draft, operation)
  else if (op === 'copy') add(draft, operation, structuredClone(copied(draft, from)))
  else {
    const moved = valueAt(draft, from)
    remove(draft, from!, operation)
    add(draft, operation, moved)
  }
}

/**
 * `target` with the operations applied, all or none; `target` is not changed, and the result shares its parts. Throws
 * StatusError BadRequest for a patch that is none, and 422 Invalid for one that does not apply (a failed test, a
 * missing path). The cause says which operation.
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (patch === null) return target
  if (!Array.isArray(patch)) {
    const found = typeof patch
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`,
    )
  }
  if (patch.length > MAX_OPERATIONS) {
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    )
  }
  const draft: Draft = { root: target, own: new WeakSet() }
  for (const operation of patch as PatchOperation[]) {
    try {
      if (!OPERATIONS.has(operation?.op)) throw new PatchProblem(`Unexpected kind: ${operation?.op ?? 'unknown'}`)
      apply(draft, operation)
    } catch (error) {
      if (error instanceof PatchProblem) throw notApplicable(error)
      throw error
    }
  }
  return draft.root
}

/** Kubernetes does not tell the client more than this. */
function notApplicable(cause: PatchProblem): StatusError {
  const message = 'the server rejected our request due to an error in our request'
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'Invalid',
      details: {},
      code: 422,
    },
    { cause },
  )
}
