/**
 * What each bootstrap role allows, found out by asking: one request for every verb of every resource, sent as a user
 * who has that role and nothing else.
 */
import type { Kind } from '../../../src/api/machinery/kind.ts'
import type { ApiRequest } from '../../../src/client/transport.ts'
import type { Cluster } from '../../../src/cmd/testing.ts'

/** Verbs as letters, in the order in which they are written. */
export const LETTERS = {
  get: 'g',
  list: 'l',
  watch: 'w',
  create: 'c',
  update: 'u',
  patch: 'p',
  delete: 'd',
  deletecollection: 'D',
} as const
type Verb = keyof typeof LETTERS

/** Letters of verbs → the resources on which they are allowed; `paths` → non-resource paths that may be read. */
export type Allowed = Readonly<Record<string, string>>

export const PATHS = [
  '/healthz',
  '/livez',
  '/readyz',
  '/version',
  '/api',
  '/apis',
  '/openapi/v2',
  '/openapi/v3',
  '/metrics',
  '/logs',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/anything',
]

const NAMESPACE = 'shop'
/** No object has this name: what is asked of it is refused for another reason, once it is allowed. */
const NAME = 'nothing'

const METHODS: Readonly<Record<Verb, ApiRequest['method']>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}

function requestOf({ group, version, plural, namespaced }: Kind, subresource: string, verb: Verb): ApiRequest {
  const base = group ? `/apis/${group}/${version}` : `/api/${version}`
  const named = subresource !== '' || ['get', 'update', 'patch', 'delete'].includes(verb)
  const parts = [
    base,
    ...(namespaced ? ['namespaces', NAMESPACE] : []),
    plural,
    ...(named ? [NAME] : []),
    ...(subresource ? [subresource] : []),
  ]
  const writes = ['create', 'update', 'patch'].includes(verb)
  return {
    method: METHODS[verb],
    path: parts.join('/'),
    ...(verb === 'patch' && { contentType: 'application/merge-patch+json' }),
    ...(writes && { body: {} }),
    // A collection that may be deleted must not be; a watch that may be had must end.
    ...(verb === 'deletecollection' && { query: { dryRun: 'All' } }),
    ...(verb === 'watch' && { query: { watch: 'true', timeoutSeconds: '1' }, signal: AbortSignal.abort() }),
  }
}

export interface Probe {
  /** `apps/deployments/scale`, `pods/log`. */
  readonly resource: string
  readonly verb: Verb
  readonly request: ApiRequest
}

/** Every verb of every resource and subresource that is served, of each resource once. */
export function probes(kinds: readonly Kind[]): Probe[] {
  const seen = new Set<string>()
  return kinds.flatMap(kind => {
    const resource = `${kind.group && `${kind.group}/`}${kind.plural}`
    if (seen.has(resource)) return []
    seen.add(resource)
    const parts: [string, readonly string[]][] = [
      ['', kind.verbs],
      ...(kind.subresources ?? []).map(({ name, verbs }): [string, readonly string[]] => [name, verbs]),
      ...(kind.status ? [['status', ['get', 'patch', 'update']] as [string, readonly string[]]] : []),
      ...(kind.scale ? [['scale', ['get', 'patch', 'update']] as [string, readonly string[]]] : []),
    ]
    return parts.flatMap(([subresource, verbs]) =>
      verbs.flatMap(verb =>
        verb in LETTERS
          ? {
              resource: subresource ? `${resource}/${subresource}` : resource,
              verb: verb as Verb,
              request: requestOf(kind, subresource, verb as Verb),
            }
          : [],
      ),
    )
  })
}

/** Sends all probes as a member of `group`; what is not forbidden is allowed. */
export async function allowedTo({ server }: Cluster, group: string, all: readonly Probe[]): Promise<Allowed> {
  const transport = server.transport({ name: `member of ${group}`, groups: [group] })
  const may = async (request: ApiRequest) => (await transport(structuredCloneable(request))).status !== 403
  const letters = new Map<string, string>()
  for (const { resource, verb, request } of all)
    if (await may(request)) letters.set(resource, (letters.get(resource) ?? '') + LETTERS[verb])
  const result: Record<string, string[]> = {}
  for (const [resource, found] of letters) {
    const ordered = Object.values(LETTERS)
      .filter(letter => found.includes(letter))
      .join('')
    ;(result[ordered] ??= []).push(resource)
  }
  const paths: string[] = []
  for (const path of PATHS) if (await may({ method: 'GET', path })) paths.push(path)
  if (paths.length) result.paths = paths
  return Object.fromEntries(Object.entries(result).map(([key, list]) => [key, list.sort().join(' ')]))
}

/** A body is the callee's: each request gets its own. */
const structuredCloneable = (request: ApiRequest): ApiRequest =>
  request.body === undefined ? request : { ...request, body: structuredClone(request.body) }
