import { forbidden, internalError } from '../../api/machinery/status-error.ts'
import type { Attributes, Authorizer, Decision } from '../authorization/authorizer.ts'
import { forbiddenMessage } from '../authorization/authorizers.ts'
import { requestSelections } from '../authorization/selectors.ts'
import type { Filter, ServerRequest } from '../request.ts'

/** What the request wants to do, as authorizers see it. */
export function attributesOf(request: ServerRequest): Attributes {
  const { info, user, query } = request
  return {
    user,
    verb: info.verb,
    isResource: info.isResource,
    group: info.group,
    version: info.version,
    namespace: info.namespace,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: request.path,
    ...(info.isResource && requestSelections(info.verb, query)),
  }
}

/** Counts and times decisions. */
export interface AuthorizationMeter {
  /** In ms; reading the clock costs more than most decisions. */
  now(): number
  /** `start` is when a decision that had to be waited for was asked; those on the spot count as no time. */
  decided(decision: Decision, start?: number): void
}

/** What the audit log has of a decision. */
function note({ audit }: ServerRequest, { allowed, reason, error }: Decision) {
  audit?.('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
  audit?.('authorization.k8s.io/reason', reason ?? (error ? 'internal error' : ''))
}

/** Lets through what the authorizer allows; anything else is 403, or 500 where it could not be found out. */
export function authorizationFilter(authorize: Authorizer, meter?: AuthorizationMeter): Filter {
  const refuse = (request: ServerRequest, attributes: Attributes, { reason, error }: Decision): never => {
    if (error) throw internalError(error)
    const { info } = request
    const resource = info.isResource ? { group: info.group, plural: info.resource } : undefined
    throw forbidden(resource, info.name, forbiddenMessage(attributes, reason))
  }
  return next => request => {
    const attributes = attributesOf(request)
    const go = (decision: Decision, start?: number) => {
      meter?.decided(decision, start)
      if (request.audit) note(request, decision)
      return decision.allowed ? next(request) : refuse(request, attributes, decision)
    }
    const decision = authorize(attributes)
    if (!(decision instanceof Promise)) return go(decision)
    const start = meter?.now()
    return decision.then(known => go(known, start))
  }
}
