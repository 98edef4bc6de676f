/** One event of the audit log: audit.k8s.io/v1 Event. */
import type { KubeObject } from '../../api/machinery/object.ts'
import { rfc3339Micro } from '../../api/machinery/time.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { Level, Plan, Stage } from './policy.ts'

/** What is known of a request while it is on its way. */
export interface AuditRecord {
  readonly id: string
  readonly plan: Plan
  /** Who asked, before any impersonation. */
  readonly user: UserInfo
  /** ms since the epoch. */
  readonly received: number
  readonly annotations: Record<string, string>
  /** The body, as JSON, once it has been read; only at the levels that want it. */
  requestObject?: string
  /** Status of the answer, as far as it is known. */
  status?: { readonly code: number; readonly message?: string; readonly reason?: string }
  responseObject?: unknown
}

export const wants = (level: Level, least: 'Request' | 'RequestResponse') =>
  level === 'RequestResponse' || level === least

const userOf = ({ name, uid, groups, extra }: UserInfo) => ({
  username: name,
  ...(uid && { uid }),
  groups,
  ...(extra && Object.keys(extra).length > 0 && { extra }),
})

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : (value ?? ''))

/** Where the request came from: what proxies say, then the connection itself. */
function sourcesOf({ headers, remoteAddress }: ServerRequest): string[] {
  const forwarded = text(headers['x-forwarded-for'])
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)
  const real = text(headers['x-real-ip']).trim()
  if (real && !forwarded.includes(real)) forwarded.push(real)
  if (remoteAddress && forwarded.at(-1) !== remoteAddress) forwarded.push(remoteAddress)
  return forwarded
}

function referenceOf({ info }: ServerRequest, object: KubeObject | undefined) {
  if (!info.isResource) return undefined
  const { metadata = {} } = object ?? {}
  const name = info.name || metadata.name
  return {
    resource: info.resource,
    ...(info.namespace && { namespace: info.namespace }),
    ...(name && { name }),
    ...(metadata.uid && { uid: metadata.uid }),
    ...(info.group && { apiGroup: info.group }),
    apiVersion: info.version,
    ...(metadata.resourceVersion && { resourceVersion: metadata.resourceVersion }),
    ...(info.subresource && { subresource: info.subresource }),
  }
}

/** A copy without metadata.managedFields, of an object or of every one in a list. */
function withoutManagedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { metadata, items, ...rest } = value as { metadata?: Record<string, unknown>; items?: unknown[] }
  const { managedFields: _, ...kept } = metadata ?? {}
  return {
    ...rest,
    ...(metadata && { metadata: kept }),
    ...(items && { items: items.map(withoutManagedFields) }),
  }
}

/** What an answer holds, where it is an object. */
export function answeredObject(answer: Answer): unknown {
  if (answer.type === 'object') return answer.object.value
  if (answer.type === 'value') return answer.value
  if (answer.type !== 'list') return undefined
  const { kind, apiVersion, metadata, items } = answer
  return { kind, apiVersion, metadata, items: items.map(item => item.value) }
}

/** The event of a stage, as one line of JSON without its end. */
export function eventLine(request: ServerRequest, record: AuditRecord, stage: Stage, now: number): string {
  const { plan, status, annotations } = record
  const query = request.query.toString()
  const shown = (value: unknown) => (plan.omitManagedFields ? withoutManagedFields(value) : value)
  const body = record.requestObject === undefined ? undefined : (JSON.parse(record.requestObject) as KubeObject)
  const agent = text(request.headers['user-agent'])
  const reference = referenceOf(request, body)
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: plan.level,
    auditID: record.id,
    stage,
    requestURI: `${request.path}${query && `?${query}`}`,
    verb: request.info.verb,
    user: userOf(record.user),
    ...(request.user !== record.user && { impersonatedUser: userOf(request.user) }),
    ...(request.remoteAddress && { sourceIPs: sourcesOf(request) }),
    ...(agent && { userAgent: agent }),
    ...(reference && { objectRef: reference }),
    ...(status && {
      responseStatus: {
        metadata: {},
        ...(status.code >= 400 && { status: 'Failure' }),
        ...(status.message && { message: status.message }),
        ...(status.reason && { reason: status.reason }),
        code: status.code,
      },
    }),
    ...(body && wants(plan.level, 'Request') && { requestObject: shown(body) }),
    ...(record.responseObject !== undefined && { responseObject: shown(record.responseObject) }),
    requestReceivedTimestamp: rfc3339Micro(record.received),
    stageTimestamp: rfc3339Micro(now),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  })
}
