/** Authorizers in a row, and what a client is told when none of them allows. */
import type { Attributes, Authorizer } from './auth.ts'

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
