/**
 * Writes a pod's status at once, one request at a time, always the newest; and again where another writer (node
 * lifecycle, after a silence) put something else in its place.
 */
import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { Client } from '../../client/client.ts'
import { revisionOf } from '../../client/resource.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { equalJson } from '../../lib/json.ts'
import type { Logger } from '../../lib/log.ts'
import { pods } from '../resources.ts'
import { PASSING } from './conditions.ts'

export interface StatusWriter {
  /** This is the status from now on. Nothing is sent when it is what was written last. */
  set(status: PodStatus, annotations?: Readonly<Record<string, string>>): void
  /** The pod as the watch shows it: where its status is not what was written, that is written again. */
  seen(pod: Pod): void
  /** The status as it was last set; what later ones are compared with. */
  current(): PodStatus | undefined
  /** Resolves when everything that was set is written, or the pod is gone. */
  flushed(): Promise<void>
}

/** Between two contradictions of a writer that insists, ms: twice as long each time, until it has been quiet. */
const CONTRADICT_MS = 1000
const CONTRADICT_MAX_MS = 60_000
const QUIET_MS = 300_000

/** Fields of `old` that `next` has no more, as null: a strategic merge would keep them. */
function cleared(old: object | undefined, next: object): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(old ?? {})) if (!(key in next)) result[key] = null
  return result
}

/** Lists that a strategic merge would join by address: a pod that gets another address has only that one. */
function replaced(next: PodStatus): object {
  const whole = (list: readonly object[] | undefined) => (list ? [{ $patch: 'replace' }, ...list] : undefined)
  const podIPs = whole(next.podIPs)
  const hostIPs = whole(next.hostIPs)
  return { ...(podIPs && { podIPs }), ...(hostIPs && { hostIPs }) }
}

/** The patch that turns `old` into `next`; conditions merge by type, and others' stay. */
export function statusPatch(old: PodStatus | undefined, next: PodStatus): object {
  const kept = new Set(['resize', 'nominatedNodeName', 'resourceClaimStatuses', 'extendedResourceClaimStatus'])
  const gone = Object.fromEntries(Object.entries(cleared(old, next)).filter(([key]) => !kept.has(key)))
  const conditions = (next.conditions ?? []).map(condition => ({
    ...cleared(
      old?.conditions?.find(each => each.type === condition.type),
      condition,
    ),
    ...condition,
  }))
  const over = (old?.conditions ?? []).filter(
    ({ type }) => PASSING.has(type) && !next.conditions?.some(each => each.type === type),
  )
  const deleted = over.map(({ type }) => ({ $patch: 'delete', type }))
  return { ...gone, ...next, ...replaced(next), conditions: [...conditions, ...deleted] }
}

/** Whether what the node says in `own` still stands in `seen`: the server's words for it were `written`. */
export function stands(own: PodStatus, written: PodStatus, seen: PodStatus): boolean {
  const types = new Set(own.conditions?.map(each => each.type))
  const told = (status: PodStatus) => status.conditions?.filter(each => types.has(each.type)) ?? []
  const keys = Object.keys(own).filter(key => key !== 'conditions') as (keyof PodStatus)[]
  return (
    keys.every(key => equalJson(written[key], seen[key])) &&
    told(written).every(condition => told(seen).some(each => equalJson(each, condition)))
  )
}

/** Makes the writer of one pod. `onGone` is called when the server knows the pod (of this uid) no more. */
export function createStatusWriter(
  deps: { client: Client; clock: Clock; logger: Logger; signal: AbortSignal },
  pod: Pod,
  onGone: () => void,
): StatusWriter {
  const { namespace, name = '', uid } = pod.metadata ?? {}
  const backOff = createBackOff(100, 10_000)
  let written = pod.status
  let writtenRevision = revisionOf(pod)
  /** The newest that the watch has shown. */
  let shown = pod
  let writtenText = ''
  let wanted: PodStatus | undefined
  let wantedText = ''
  let annotations: Readonly<Record<string, string>> | undefined
  let running: Promise<void> | undefined
  let gone = false
  let contradictedAt = Number.NEGATIVE_INFINITY
  const patience = createBackOff(CONTRADICT_MS, CONTRADICT_MAX_MS)
  let pause = 0
  let isWaiting = false

  async function run() {
    while (wantedText !== writtenText && wanted && !deps.signal.aborted) {
      const next = wanted
      const text = wantedText
      const metadata = { uid, ...(annotations ? { annotations: { ...annotations } } : {}) }
      try {
        const body = { metadata, status: structuredClone(statusPatch(written, next)) }
        const answer = await deps.client
          .kind(pods)
          .patch({ namespace, name }, body, { type: 'strategic', subresource: 'status' })
        written = answer.status
        writtenRevision = revisionOf(answer)
        writtenText = text
        backOff.reset()
      } catch (error) {
        if (error instanceof StatusError && (error.code === 404 || error.code === 409)) {
          gone = true
          onGone()
          return
        }
        deps.logger.warn(
          { err: error, pod: `${namespace}/${name}` },
          'the status of a pod could not be written; trying again',
        )
        await sleep(deps.clock, backOff.next(), deps.signal)
      }
    }
  }
  /** Takes note of a foreign write that is newer than ours; a writer that insists is answered now and then. */
  const compare = () => {
    if (gone || deps.signal.aborted || running || !wanted || revisionOf(shown) <= writtenRevision) return
    if (writtenText === '' || stands(wanted, written ?? {}, shown.status ?? {})) return
    if (deps.clock.elapsed() - contradictedAt > QUIET_MS) {
      patience.reset()
      pause = 0
    }
    const rest = contradictedAt + pause - deps.clock.elapsed()
    if (rest > 0) {
      if (isWaiting) return
      isWaiting = true
      deps.clock.after(rest, () => {
        isWaiting = false
        compare()
      })
      return
    }
    contradictedAt = deps.clock.elapsed()
    pause = patience.next()
    written = shown.status
    writtenText = ''
    void flush()
  }
  const flush = (): Promise<void> => {
    // What is set while the last request is being wound up must not be forgotten: look again.
    running ??= run().finally(() => {
      running = undefined
      if (gone || deps.signal.aborted) return
      if (wantedText !== writtenText) void flush()
      else compare()
    })
    return running
  }
  return {
    set(status, withAnnotations) {
      const text = JSON.stringify([status, withAnnotations])
      wanted = status
      annotations = withAnnotations
      if (text === wantedText || gone) return
      wantedText = text
      void flush()
    },
    seen(next) {
      shown = next
      if (!gone && !deps.signal.aborted) compare()
    },
    current: () => wanted,
    flushed: async () => {
      while (running) await running
    },
  }
}
