import { forbidden } from '../../api/machinery/status-error.ts'
import type { Attributes, Authorizer } from '../auth/auth.ts'
import { forbiddenMessage } from '../auth/authorizers.ts'
import type { Filter, ServerRequest } from '../request.ts'

/** What the request wants to do, as authorizers see it. */
export function attributesOf(request: ServerRequest): Attributes {
  const { info, user, query } = request
  const fieldSelector = info.isResource ? query.get('fieldSelector') : null
  const labelSelector = info.isResource ? query.get('labelSelector') : null
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
    ...(fieldSelector && { fieldSelector }),
    ...(labelSelector && { labelSelector }),
  }
}

/** Lets through what the authorizer allows; anything else is 403. */
export function authorizationFilter(authorize: Authorizer): Filter {
  return next => request => {
    const attributes = attributesOf(request)
    const decision = authorize(attributes)
    if (decision.allowed) return next(request)
    const { info } = request
    const resource = info.isResource ? { group: info.group, plural: info.resource } : undefined
    throw forbidden(resource, info.name, forbiddenMessage(attributes, decision.reason))
  }
}
