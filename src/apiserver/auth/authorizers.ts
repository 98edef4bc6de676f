/** Authorizers in a row, and what a client is told when none of them allows. */
import { unauthorized } from '../../api/machinery/status-error.ts'
import { ANONYMOUS, type Attributes, type Authorizer } from './auth.ts'

export const MASTERS = 'system:masters'

/** Members of `system:masters` may do everything, whatever RBAC says: the way back in. */
export const privilegedGroup: Authorizer = ({ user }) => ({ allowed: user.groups.includes(MASTERS) })

/** Asks in order until one allows or denies. The reasons of those without an opinion are joined. */
export function firstOf(...authorizers: readonly Authorizer[]): Authorizer {
  return request => {
    let reasons = ''
    for (const authorize of authorizers) {
      const decision = authorize(request)
      if (decision.allowed || decision.denied) return decision
      if (decision.reason) reasons += `${reasons && ', '}${decision.reason}`
    }
    return reasons ? { allowed: false, reason: reasons } : { allowed: false }
  }
}

/** What anyone may see. */
const PUBLIC_PATHS = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/'])

/**
 * Whoever does not say who they are sees health and version and is otherwise asked to: 401, whatever roles are bound
 * to anonymous users.
 */
export function knownUsersOnly(authorize: Authorizer): Authorizer {
  return request => {
    if (request.user.name !== ANONYMOUS.name) return authorize(request)
    if (!request.isResource && request.verb === 'get' && PUBLIC_PATHS.has(request.path)) return { allowed: true }
    throw unauthorized()
  }
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/**
 * The sentence of a 403, without the `pods is forbidden: ` that NewForbidden puts before it:
 * `User "x" cannot list resource "pods" in API group "" in the namespace "default"`.
 */
export function forbiddenMessage(request: Attributes, reason = ''): string {
  const user = `User ${JSON.stringify(request.user.name)} cannot ${request.verb}`
  const resource = request.subresource ? `${request.resource}/${request.subresource}` : request.resource
  const scope = request.namespace ? `in the namespace ${JSON.stringify(request.namespace)}` : 'at the cluster scope'
  const message = request.isResource
    ? `${user} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(request.group)} ${scope}`
    : `${user} path ${JSON.stringify(request.path)}`
  return message.replace(/[&<>]/g, char => escapes[char]!) + (reason && `: ${reason}`)
}
