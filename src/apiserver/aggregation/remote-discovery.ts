/** What an aggregated server serves: asked in the form that has everything in one answer, or else version by version. */
import type { UserInfo } from '../authentication/authenticator.ts'
import { groupVersionPath } from './api-service.ts'
import type { RemoteServer } from './remote-server.ts'

/** apidiscovery/v2 APIResourceDiscovery, handed on as it came. */
export type Resource = Readonly<Record<string, unknown>>

/** Who this server is to the others when it asks for itself: it may do everything there. */
export const AGGREGATOR: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }

const TIMEOUT = 5_000
const ACCEPT = ['v2', 'v2beta1']
  .map(version => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',')

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string }
  readonly versions?: readonly { readonly version?: string; readonly resources?: readonly Resource[] }[]
}

interface LegacyResource {
  readonly name: string
  readonly singularName?: string
  readonly namespaced?: boolean
  readonly group?: string
  readonly version?: string
  readonly kind?: string
  readonly verbs?: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

const EMPTY_KIND = { group: '', version: '', kind: '' }

/** Old clients fall over where a kind is left out (kubernetes/kubernetes#118361). */
function withKinds(resource: Resource): Resource {
  const subresources = resource.subresources as readonly Resource[] | undefined
  return {
    ...resource,
    responseKind: resource.responseKind ?? EMPTY_KIND,
    ...(subresources && {
      subresources: subresources.map(each => ({ ...each, responseKind: each.responseKind ?? EMPTY_KIND })),
    }),
  }
}

/** The resources of an APIResourceList, in the newer form. */
export function fromLegacy(group: string, version: string, list: readonly LegacyResource[]): Resource[] {
  const kindOf = (each: LegacyResource) => ({
    group: each.group ?? group,
    version: each.version ?? version,
    kind: each.kind ?? '',
  })
  const below = Map.groupBy(
    list.filter(each => each.name.includes('/')),
    each => each.name.split('/')[0]!,
  )
  return list
    .filter(each => !each.name.includes('/'))
    .map(each => ({
      resource: each.name,
      responseKind: kindOf(each),
      scope: each.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: each.singularName ?? '',
      verbs: each.verbs ?? [],
      ...(each.shortNames?.length && { shortNames: each.shortNames }),
      ...(each.categories?.length && { categories: each.categories }),
      ...(below.has(each.name) && {
        subresources: below.get(each.name)!.map(sub => ({
          subresource: sub.name.slice(each.name.length + 1),
          responseKind: kindOf(sub),
          verbs: sub.verbs ?? [],
        })),
      }),
    }))
}

export interface RemoteDiscovery {
  /** For the next time: the answer may be that nothing has changed. */
  readonly etag: string
  readonly resources: readonly Resource[]
}

/** Asks for the resources of one group and version. Rejects where the server does not tell. */
export async function fetchDiscovery(
  server: RemoteServer,
  group: string,
  version: string,
  before: RemoteDiscovery | undefined,
): Promise<RemoteDiscovery> {
  const known: Record<string, string> = before?.etag ? { 'if-none-match': before.etag } : {}
  const all = await server.get('/apis', AGGREGATOR, { accept: ACCEPT, ...known }, TIMEOUT)
  if (all.status === 304 && before) return before
  if (all.status === 503) throw new Error('the server answered 503 to /apis')
  if (all.status === 200 && /as=APIGroupDiscoveryList/.test(String(all.headers['content-type'] ?? ''))) {
    const { items = [] } = JSON.parse(all.text) as { items?: readonly GroupDiscovery[] }
    const own = items.find(({ metadata }) => (metadata?.name ?? '') === group)
    const resources = own?.versions?.find(each => each.version === version)?.resources ?? []
    return { etag: String(all.headers.etag ?? ''), resources: resources.map(withKinds) }
  }
  const path = groupVersionPath(group, version)
  const one = await server.get(path, AGGREGATOR, { accept: 'application/json' }, TIMEOUT)
  if (one.status !== 200) throw new Error(`the server answered ${one.status} to ${path}`)
  const { resources = [] } = JSON.parse(one.text) as { resources?: readonly LegacyResource[] }
  return { etag: '', resources: fromLegacy(group, version, resources) }
}
