/** Carries a plan out: writes the difference, tells what happened, and says which revisions must be seen next. */
import type { KubeObject } from '../api/machinery/object.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import { type Client, hasReason } from '../client/client.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import { type Resource, refOf, revisionOf } from '../client/resource.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Note, Plan, Write } from './plan.ts'

/** What a commit wrote; a cache that shows all of it is current. */
export interface Written {
  readonly resource: Resource
  /** The revision of the write; 0 for a delete, which is seen by the object's absence or mark. */
  readonly revision: number
  readonly deleted?: KubeObject
}

export interface Outcome {
  readonly written: readonly Written[]
  /** The first write that failed. */
  readonly error?: Error
}

export interface CommitDeps {
  readonly client: Client
  readonly recorder: EventRecorder
}

/** Size of the first batch of creates; doubles as long as all succeed (as upstream's slow start). */
const FIRST_BATCH = 1

/** Deleted without grace already: only its finalizers hold it, and deleting it again would change nothing. */
const isHeld = ({ metadata }: KubeObject) =>
  metadata?.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) === 0

const isSkipped = (write: Write) =>
  write.type === 'delete'
    ? isHeld(write.object) && !write.options?.propagationPolicy
    : (write.type === 'update' || write.type === 'status') && equalJson(write.current, write.next)

/** Uids must not have changed under a patch or delete. */
const uidOf = (object: KubeObject) => object.metadata?.uid

async function perform(client: Client, write: Write): Promise<KubeObject> {
  const kind = client.kind(write.resource)
  switch (write.type) {
    case 'create':
      return kind.create(cloneJson(write.object))
    case 'update':
      return kind.update(cloneJson(write.next))
    case 'status':
      return kind.updateStatus(cloneJson(write.next))
    case 'patch': {
      const uid = uidOf(write.object)
      const patch = cloneJson(write.patch) as { metadata?: object }
      // A uid in a patch must match, or the server answers with a conflict.
      const body = uid ? { ...patch, metadata: { ...patch.metadata, uid } } : patch
      return kind.patch(refOf(write.object), body, {
        type: 'merge',
        ...(write.subresource && { subresource: write.subresource }),
      })
    }
    case 'delete': {
      const uid = uidOf(write.object)
      return kind.delete(refOf(write.object), { ...(uid && { preconditions: { uid } }), ...write.options })
    }
  }
}

/** The namespace is being deleted and takes nothing new. */
export const isTerminating = (error: Error) =>
  hasReason(error, 'Forbidden') &&
  (error.status.details?.causes ?? []).some(cause => cause.reason === 'NamespaceTerminating')

/** Someone else was faster, or the object is gone: no news, the next look at the cache will tell. */
export const isQuiet = (error: Error) =>
  hasReason(error, 'Conflict', 'NotFound', 'AlreadyExists') || isTerminating(error)

/** The server did not say no: the write may have happened all the same. */
export const isAmbiguous = (error: Error) => !(error instanceof StatusError) || error.code >= 500

/** Carries out the plan for `object`, which is absent for keys whose object is gone. Never rejects. */
export async function commit(plan: Plan, resource: Resource, object: KubeObject | undefined, deps: CommitDeps) {
  const written: Written[] = []
  const tell = (note: Note | undefined) => {
    if (note) deps.recorder.event(note.target, note.type, note.reason, note.message)
  }

  async function one(write: Write): Promise<Error | undefined> {
    try {
      const answer = await perform(deps.client, write)
      const isDelete = write.type === 'delete'
      const revision = isDelete ? 0 : revisionOf(answer)
      written.push({ resource: write.resource, revision, ...(isDelete && { deleted: write.object }) })
      tell(write.done?.(answer))
      return undefined
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      // It is gone: that is what was wanted.
      if (write.type === 'delete' && hasReason(error, 'NotFound')) return undefined
      if (!isQuiet(error)) tell(write.failed?.(error))
      return error
    }
  }
  async function batch(writes: readonly Write[], first: number): Promise<Error | undefined> {
    let start = 0
    for (let size = first; start < writes.length; size *= 2) {
      const errors = await Promise.all(writes.slice(start, start + size).map(one))
      start += size
      const error = errors.find(each => each !== undefined)
      if (error) return error
    }
    return undefined
  }
  async function writeStatus(status: KubeObject | undefined): Promise<Error | undefined> {
    if (!status || !object || equalJson(status, object)) return undefined
    return one({ type: 'status', resource, current: object, next: status })
  }

  const writes = (plan.writes ?? []).filter(write => !isSkipped(write))
  for (const group of groups(writes)) {
    const error = await batch(group, group[0]!.type === 'create' ? FIRST_BATCH : group.length)
    if (!error) continue
    const otherwise = isQuiet(error) ? undefined : plan.otherwise?.(error)
    if (otherwise && !(await writeStatus(otherwise.status))) otherwise.notes?.forEach(tell)
    return { written, error } satisfies Outcome
  }
  const error = writes.length === 0 ? await writeStatus(plan.status) : undefined
  if (!error) plan.notes?.forEach(tell)
  return { written, ...(error && { error }) } satisfies Outcome
}

/** Creates that stand together, deletes that stand together, everything else by itself. */
function groups(writes: readonly Write[]): Write[][] {
  const result: Write[][] = []
  for (const write of writes) {
    const last = result.at(-1)
    const joins = (write.type === 'create' || write.type === 'delete') && last?.[0]?.type === write.type
    if (joins) last!.push(write)
    else result.push([write])
  }
  return result
}
