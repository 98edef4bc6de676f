/** What the handlers of subresources and reviews take out of a request. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, StatusError, unsupportedMediaType } from '../../api/machinery/status-error.ts'
import type { WriteContext } from '../registry/registry.ts'
import type { Answer, ServerRequest } from '../request.ts'

/** The object in the body, which is the handler's to change. `kind` is what it must be; either part may be absent. */
export async function bodyObject<T extends KubeObject>(
  request: ServerRequest,
  expected: { readonly apiVersion: string; readonly kind: string },
): Promise<T> {
  const value = await bodyValue(request)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`the body of the request must be an object of kind ${expected.kind}`)
  const object = value as T
  const { kind = expected.kind, apiVersion = expected.apiVersion } = object
  if (kind !== expected.kind || apiVersion !== expected.apiVersion)
    throw badRequest(
      `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${expected.kind}: expected apiVersion ${expected.apiVersion}`,
    )
  object.kind = kind
  object.apiVersion = apiVersion
  return object
}

async function bodyValue({ body }: ServerRequest): Promise<unknown> {
  if (body.type === 'value') return body.value
  if (body.type === 'none') return {}
  const type = body.contentType.split(';')[0]!.trim().toLowerCase()
  const text = (await body.read()).toString('utf8')
  try {
    if (type === 'application/yaml') {
      const { parse } = await import('yaml')
      return parse(text)
    }
    if (type === 'application/json' || type === '') return text ? JSON.parse(text) : {}
  } catch (cause) {
    throw badRequest(`the object provided is unrecognized (must be of type ${type}): ${(cause as Error).message}`)
  }
  throw unsupportedMediaType(['application/json', 'application/yaml'])
}

/** How a write that a request asks for is made, through a subresource. */
export function writeContext(request: ServerRequest, subresource: string): WriteContext {
  const { query, user } = request
  const agent = String(request.headers['user-agent'] ?? '').split('/')[0]
  const manager = query.get('fieldManager') || agent
  return {
    user,
    subresource,
    dryRun: query.getAll('dryRun').includes('All'),
    ...(manager && { fieldManager: manager }),
    warn: text => request.warn(text),
  }
}

/** A boolean query parameter as Kubernetes reads it: there, and neither `false` nor `0`. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value.toLowerCase() !== 'false' && value !== '0'
}

/** An answer of any JSON value. */
export const answer = (value: unknown, status = 200): Answer => ({ type: 'value', status, value })

/** 501: part of Kubernetes that is not built yet, said clearly. */
export function notBuilt(what: string, instead = ''): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${what} is not built yet${instead && `: ${instead}`}`,
    reason: 'NotImplemented',
    code: 501,
  })
}

/** The kind of this key, or an error at start that names it. */
export function requireKind(registry: { kind(key: string): Kind | undefined }, key: string): Kind {
  const kind = registry.kind(key)
  if (!kind) throw new Error(`the kind ${key} is needed and is not served`)
  return kind
}
