/** What the handlers of subresources and reviews take out of a request. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { forbidden, methodNotAllowed } from '../../api/machinery/status-error.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { forbiddenMessage } from '../authorization/authorizers.ts'
import { attributesOf } from '../filters/authorization.ts'
import { objectBody } from '../handlers/object-body.ts'
import { writeContext as createContext } from '../handlers/write-options.ts'
import type { WriteContext } from '../registry/registry.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'

/** The object in the body, which is the handler's to change. Throws BadRequest for one of another kind. */
export async function bodyObject<T extends KubeObject>(
  request: ServerRequest,
  expected: { readonly apiVersion: string; readonly kind: string },
): Promise<T> {
  const version = expected.apiVersion.slice(expected.apiVersion.indexOf('/') + 1)
  const { object } = await objectBody(request, { ...expected, version })
  object.kind = expected.kind
  object.apiVersion = expected.apiVersion
  await request.admitBody?.(object)
  return object as T
}

/** How a write that a request asks for is made, through a subresource. */
export const writeContext = (request: ServerRequest, subresource: string): WriteContext =>
  createContext(request, 'CreateOptions', subresource)

/** `handler`, for these methods only. */
export function only(methods: readonly string[], handler: Handler): Handler {
  return async request => {
    if (!methods.includes(request.method)) throw methodNotAllowed()
    return handler(request)
  }
}

/**
 * `handler`, for who may create this subresource, whatever the method: a WebSocket begins with a GET, and a right to
 * read is none to run commands.
 */
export function forCreators(authorize: Authorizer, handler: Handler): Handler {
  return async request => {
    const { info } = request
    if (info.verb === 'create') return handler(request)
    const question = { ...attributesOf(request), verb: 'create' }
    const { allowed, reason } = await authorize(question)
    if (!allowed)
      throw forbidden({ group: info.group, plural: info.resource }, info.name, forbiddenMessage(question, reason))
    return handler(request)
  }
}

/** A boolean query parameter as Kubernetes reads it: there, and neither `false` nor `0`. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value.toLowerCase() !== 'false' && value !== '0'
}

/** An answer of any JSON value. */
export const answer = (value: unknown, status = 200): Answer => ({ type: 'value', status, value })

/** The kind of this key, or an error at start that names it. */
export function requireKind(registry: { kind(key: string): Kind | undefined }, key: string): Kind {
  const kind = registry.kind(key)
  if (!kind) throw new Error(`the kind ${key} is needed and is not served`)
  return kind
}
