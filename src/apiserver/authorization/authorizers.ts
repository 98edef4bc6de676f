/** Authorizers in a row, and what a client is told when none of them allows. */
import type { Attributes, Authorizer, Decision, LocalAuthorizer } from './authorizer.ts'

export const MASTERS = 'system:masters'
const NO_OPINION: Decision = { allowed: false }

/** Members of `system:masters` may do everything, whatever RBAC says: the way back in. */
export const privilegedGroup: LocalAuthorizer = ({ user }) => ({ allowed: user.groups.includes(MASTERS) })

/**
 * Asks in order until one allows or denies. The reasons of those without an opinion are joined, and so are their
 * errors. The answer is a promise only where one of those asked gives one.
 */
export function firstOf(...authorizers: readonly Authorizer[]): Authorizer {
  const join = (before: string | undefined, next: string | undefined, by: string) =>
    before && next ? `${before}${by}${next}` : (before ?? next)

  const from = (request: Attributes, start: number, before: Decision): Decision | Promise<Decision> => {
    let gathered = before
    for (let index = start; index < authorizers.length; index++) {
      const answer = authorizers[index]!(request)
      if (answer instanceof Promise)
        return answer.then(decision =>
          decision.allowed || decision.denied ? decision : from(request, index + 1, gather(gathered, decision)),
        )
      if (answer.allowed || answer.denied) return answer
      gathered = gather(gathered, answer)
    }
    return gathered
  }
  const gather = (before: Decision, next: Decision): Decision => {
    if (!next.reason && !next.error) return before
    const reason = join(before.reason, next.reason, ', ')
    const error = join(before.error, next.error, ', ')
    return { allowed: false, ...(reason && { reason }), ...(error && { error }) }
  }
  return request => from(request, 0, NO_OPINION)
}

/**
 * An authorizer for those who cannot wait (expressions in CEL). Throws an Error where the answer would come over the
 * network.
 */
export const onTheSpot =
  (authorize: Authorizer): LocalAuthorizer =>
  request => {
    const decision = authorize(request)
    if (decision instanceof Promise) throw new Error('an authorizer over the network cannot be asked here')
    return decision
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
