/**
 * Discovery of this server and of all that are registered with it as one. The local documents are taken as they are and
 * the others' entries put among them, in the order of priority.
 */
import { createHash } from 'node:crypto'
import { compareVersions } from '../../api/custom/versions.ts'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { KindReader } from '../registry/registry.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { apiServiceName, OWN_GROUP } from './api-service.ts'
import { CUSTOM } from './priorities.ts'
import type { RemoteServices, RemoteVersion } from './remote-services.ts'

interface GroupItem {
  readonly metadata: { readonly name?: string }
  readonly versions: readonly { readonly version: string }[]
}

interface LegacyVersion {
  readonly groupVersion: string
  readonly version: string
}

interface LegacyGroup {
  readonly name: string
  readonly versions: readonly LegacyVersion[]
}

/** First of all, whatever is registered. */
const FIRST = 20_000

interface Ranks {
  group(name: string, version: string): number
  version(name: string, version: string): number
}

function ranksOf(objects: KindReader): Ranks {
  const spec = (group: string, version: string) =>
    (objects.get('', apiServiceName(group, version))?.value as APIService | undefined)?.spec
  return {
    group: (name, version) =>
      name === OWN_GROUP ? FIRST : (spec(name, version)?.groupPriorityMinimum ?? CUSTOM.group),
    version: (name, version) => spec(name, version)?.versionPriority ?? CUSTOM.version,
  }
}

/** Groups and their versions in the order of priority. Those of the same priority stay in their order. */
function ordered<V extends { readonly version: string }>(groups: ReadonlyMap<string, readonly V[]>, ranks: Ranks) {
  return [...groups]
    .map(([name, versions]) => ({
      name,
      rank: Math.max(...versions.map(({ version }) => ranks.group(name, version))),
      versions: [...versions].sort(
        (a, b) =>
          ranks.version(name, b.version) - ranks.version(name, a.version) || compareVersions(a.version, b.version),
      ),
    }))
    .sort((a, b) => b.rank - a.rank)
}

/** Local entries with the remote ones in the place of those of the same group and version, or beside them. */
function merged<V extends { readonly version: string }>(
  local: readonly (readonly [name: string, versions: readonly V[]])[],
  remote: readonly RemoteVersion[],
  entry: (version: RemoteVersion) => V,
): Map<string, V[]> {
  const all = new Map(local.map(([name, versions]) => [name, [...versions]]))
  for (const each of remote) {
    const others = (all.get(each.group) ?? []).filter(({ version }) => version !== each.version)
    all.set(each.group, [...others, entry(each)])
  }
  return all
}

function aggregated(document: { items: GroupItem[] }, remote: readonly RemoteVersion[], ranks: Ranks) {
  const local = document.items.map(({ metadata, versions }) => [metadata.name ?? '', versions] as const)
  const groups = merged<{ readonly version: string }>(local, remote, ({ version, resources, fresh }) => ({
    version,
    resources,
    freshness: fresh ? 'Current' : 'Stale',
  }))
  const items = ordered(groups, ranks).map(({ name, versions }) => ({
    metadata: { ...(name && { name }), creationTimestamp: null },
    versions,
  }))
  return { ...document, items }
}

const legacyEntry = ({ group, version }: RemoteVersion): LegacyVersion => ({
  groupVersion: `${group}/${version}`,
  version,
})
const legacyGroup = (name: string, versions: readonly LegacyVersion[]) => ({
  name,
  versions,
  preferredVersion: versions[0],
})

function groupList(document: { groups: LegacyGroup[] }, remote: readonly RemoteVersion[], ranks: Ranks) {
  const local = document.groups.map(({ name, versions }) => [name, versions] as const)
  const groups = ordered(merged(local, remote, legacyEntry), ranks)
  return { ...document, groups: groups.map(({ name, versions }) => legacyGroup(name, versions)) }
}

function oneGroup(name: string, document: LegacyGroup | undefined, remote: readonly RemoteVersion[], ranks: Ranks) {
  const [group] = ordered(merged([[name, document?.versions ?? []]], remote, legacyEntry), ranks)
  return { kind: 'APIGroup', apiVersion: 'v1', ...legacyGroup(name, group?.versions ?? []) }
}

/** Bytes with a mark by which a client asks whether they are still the same. */
export function marked(answer: Answer, value: unknown, request: ServerRequest): Answer {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  const etag = `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`
  const contentType = answer.type === 'bytes' ? answer.contentType : 'application/json'
  const headers = { ...answer.headers, ...(answer.headers?.etag && { etag }) }
  if (answer.headers?.etag && request.headers['if-none-match'] === etag)
    return { type: 'bytes', status: 304, contentType, bytes: Buffer.alloc(0), headers }
  return { type: 'bytes', status: 200, contentType, bytes, headers }
}

/** The request without the mark of what the client has: that is of the merged document. */
export const unconditional = ({ method, path, query, headers }: ServerRequest): ServerRequest => {
  const { 'if-none-match': _, ...rest } = headers
  return { method, path, query, headers: rest } as ServerRequest
}

const JSON_OF = (answer: Answer) =>
  answer.type === 'bytes' ? JSON.parse(Buffer.from(answer.bytes).toString()) : undefined

/**
 * Discovery with the registered versions in it. `local` answers for this server, and gives undefined for what is not
 * discovery's. `objects` reads APIServices.
 */
export function mergeDiscovery(
  services: RemoteServices,
  objects: KindReader,
  local: (request: ServerRequest) => Answer | undefined,
): (request: ServerRequest) => Answer | undefined {
  return request => {
    const path = request.path.replace(/\/+$/, '')
    const group = /^\/apis\/([^/]+)$/.exec(path)?.[1]
    if (services.isEmpty() || (path !== '/apis' && path !== '/api' && !group)) return local(request)
    const ranks = ranksOf(objects)
    const answer = local(unconditional(request))
    const isCore = path === '/api'
    const remote = [...services.all()].filter(each =>
      group ? each.group === decodeURIComponent(group) : (each.group === '') === isCore,
    )
    if (!remote.length) return local(request)
    if (group) {
      const value = oneGroup(decodeURIComponent(group), answer && JSON_OF(answer), remote, ranks)
      return answer ? marked(answer, value, request) : { type: 'value', status: 200, value }
    }
    if (answer?.type !== 'bytes') return answer
    const document = JSON_OF(answer)
    if (document.kind === 'APIGroupDiscoveryList') return marked(answer, aggregated(document, remote, ranks), request)
    if (document.kind === 'APIGroupList') return marked(answer, groupList(document, remote, ranks), request)
    return answer
  }
}
