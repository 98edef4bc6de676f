/**
 * The audit log: what was asked, by whom, and what came of it. Where no policy is set there is no filter, and nothing
 * is spent. Events are handed to backends as finished lines; a backend that cannot keep up drops them and says how many.
 */
import { statusOf } from '../../api/machinery/status-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { counter, type Family } from '../../lib/metrics.ts'
import { ANONYMOUS } from '../authentication/authenticator.ts'
import { attributesOf } from '../filters/authorization.ts'
import type { Answer, Filter, ServerRequest } from '../request.ts'
import { type AuditRecord, answeredObject, eventLine, wants } from './event.ts'
import { type Plan, type Policy, planner, type Stage } from './policy.ts'

export interface AuditBackend {
  /** Takes one event, as JSON without an end of line. Must not throw. */
  take(line: string): void
  /** Resolves when what was taken is out. */
  close(): Promise<void>
}

export interface Audit {
  /** Around authentication: notes who could not be let in. */
  readonly outer: Filter
  /** After authentication. */
  readonly filter: Filter
  /** Streams and watches end long after their answer has begun. */
  ended(request: ServerRequest): void
  readonly families: readonly Family[]
  close(): Promise<void>
}

export interface AuditDeps {
  readonly policy: Policy
  readonly backends: readonly AuditBackend[]
  readonly clock: Clock
  uuid(): string
}

const MAX_ID = 64
const isLong = (answer: Answer) => answer.type === 'watch' || answer.type === 'upgrade'

/** Makes the log. */
export function createAudit({ policy, backends, clock, uuid }: AuditDeps): Audit {
  const plan = planner(policy)
  const events = counter('apiserver_audit_event_total', 'Audit events that were handed to the backends.')
  const levels = counter('apiserver_audit_level_total', 'Requests by the level at which they are noted.', ['level'])
  const running = new WeakMap<ServerRequest, AuditRecord>()

  function emit(request: ServerRequest, record: AuditRecord, stage: Stage) {
    if (record.plan.omitStages.has(stage)) return
    events.at().value++
    const line = eventLine(request, record, stage, clock.now())
    for (const backend of backends) backend.take(line)
  }
  function begin(request: ServerRequest, chosen: Plan): AuditRecord {
    const given = request.headers['audit-id']
    const id = typeof given === 'string' && given && given.length <= MAX_ID ? given : uuid()
    const record: AuditRecord = { id, plan: chosen, user: request.user, received: clock.now(), annotations: {} }
    request.audit = (key, value, level) => {
      if (level && !wants(chosen.level, level)) return
      // The first says it, as upstream has it.
      record.annotations[key] ??= value
    }
    if (wants(chosen.level, 'Request'))
      request.noteBody = value => {
        record.requestObject = JSON.stringify(value)
      }
    return record
  }
  function fail(request: ServerRequest, record: AuditRecord, error: unknown) {
    const status = statusOf(error)
    record.status = {
      code: status.code ?? 500,
      ...(status.message && { message: status.message }),
      ...(status.reason && { reason: status.reason }),
    }
    if (wants(record.plan.level, 'RequestResponse')) record.responseObject = status
    emit(request, record, 'ResponseComplete')
  }
  function answer(request: ServerRequest, record: AuditRecord, given: Answer): Answer {
    record.status = { code: given.status }
    if (request.info.isResource && wants(record.plan.level, 'RequestResponse'))
      record.responseObject = answeredObject(given)
    if (isLong(given)) {
      emit(request, record, 'ResponseStarted')
      running.set(request, record)
    } else emit(request, record, 'ResponseComplete')
    return { ...given, headers: { ...given.headers, 'audit-id': record.id } }
  }

  return {
    families: [events, levels],
    outer: next => async request => {
      try {
        return await next(request)
      } catch (error) {
        // Nobody has looked at the request but authentication.
        if (!request.audited && statusOf(error).code === 401) {
          const chosen = plan({ ...attributesOf(request), user: ANONYMOUS })
          if (chosen.level !== 'None') {
            const record = begin(request, chosen)
            fail(request, { ...record, user: { name: '', groups: [] } }, error)
          }
        }
        throw error
      }
    },
    filter: next => async request => {
      request.audited = true
      const chosen = plan(attributesOf(request))
      levels.at(chosen.level).value++
      if (chosen.level === 'None') return next(request)
      const record = begin(request, chosen)
      emit(request, record, 'RequestReceived')
      try {
        return answer(request, record, await next(request))
      } catch (error) {
        fail(request, record, error)
        throw error
      }
    },
    ended(request) {
      const record = running.get(request)
      if (!record) return
      running.delete(request)
      emit(request, record, 'ResponseComplete')
    },
    close: async () => void (await Promise.all(backends.map(backend => backend.close()))),
  }
}
