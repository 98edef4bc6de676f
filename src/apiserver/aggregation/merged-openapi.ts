/**
 * The OpenAPI documents of this server and of all that are registered with it: version 3 is one document for each group
 * and version, which its own server answers for; version 2 is one for everything, made when somebody asks.
 */
import { equalJson } from '../../lib/json.ts'
import { parseAccept } from '../http/media.ts'
import { encodeOpenApiV2, V2_PROTOBUF_TYPE } from '../openapi/v2-protobuf.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { groupVersionPath } from './api-service.ts'
import { handOn } from './hand-on.ts'
import { marked, unconditional } from './merged-discovery.ts'
import { AGGREGATOR } from './remote-discovery.ts'
import type { RemoteServices, RemoteVersion } from './remote-services.ts'

type Document = Record<string, unknown>

const TIMEOUT = 5_000
const V2 = /com\.github\.proto-openapi\.spec\.v2/

/** A document of another server; undefined where it has none to give. */
async function documentOf({ server }: RemoteVersion, path: string, accept: string): Promise<Document | undefined> {
  try {
    const { status, text } = await server.get(path, AGGREGATOR, { accept }, TIMEOUT)
    return status === 200 ? (JSON.parse(text) as Document) : undefined
  } catch {
    return undefined
  }
}

const versionKey = ({ group, version }: RemoteVersion) => groupVersionPath(group, version).slice(1)

/** The index of version 3 with the documents of others. */
async function index(local: Document, remote: readonly RemoteVersion[]): Promise<Document> {
  const paths: Document = { ...(local.paths as Document) }
  const indices = await Promise.all(remote.map(each => documentOf(each, '/openapi/v3', 'application/json')))
  remote.forEach((each, at) => {
    const key = versionKey(each)
    const own = (indices[at]?.paths as Document | undefined)?.[key]
    if (own) paths[key] = own
    else delete paths[key]
  })
  return { ...local, paths }
}

/** The other's definitions under names that are free here, and its paths that lead to them. */
function renamed(local: Document, remote: Document): { definitions: Document; paths: Document } {
  const known = (local.definitions ?? {}) as Document
  const names = new Map<string, string>()
  for (const [name, definition] of Object.entries((remote.definitions ?? {}) as Document)) {
    if (known[name] === undefined || equalJson(known[name], definition)) continue
    let at = 2
    while (known[`${name}_v${at}`] !== undefined) at++
    names.set(name, `${name}_v${at}`)
  }
  const { definitions = {}, paths = {} } = remote as { definitions?: Document; paths?: Document }
  if (!names.size) return { definitions, paths }
  const moved = (value: Document) =>
    JSON.parse(JSON.stringify(value), (key, each) => {
      const name = key === '$ref' && typeof each === 'string' ? each.slice('#/definitions/'.length) : ''
      return names.has(name) ? `#/definitions/${names.get(name)}` : each
    }) as Document
  const own = Object.entries(moved(definitions)).map(([name, value]) => [names.get(name) ?? name, value])
  return { definitions: Object.fromEntries(own), paths: moved(paths) }
}

/** Version 2 with the paths of others that are registered, and the definitions that those need. */
async function whole(local: Document, remote: readonly RemoteVersion[]): Promise<Document> {
  let merged = local
  for (const each of remote) {
    const other = await documentOf(each, '/openapi/v2', 'application/json')
    if (!other) continue
    const { definitions, paths } = renamed(merged, other)
    const prefix = `${groupVersionPath(each.group, each.version)}/`
    const own = Object.entries(paths).filter(([path]) => path.startsWith(prefix))
    merged = {
      ...merged,
      paths: { ...(merged.paths as Document), ...Object.fromEntries(own) },
      definitions: { ...definitions, ...(merged.definitions as Document) },
    }
  }
  return merged
}

const jsonOf = (answer: Answer): Document | undefined =>
  answer.type === 'bytes' ? JSON.parse(Buffer.from(answer.bytes).toString()) : undefined

const wantsProtobuf = (request: ServerRequest) => {
  const accept = String(request.headers.accept ?? '')
  return V2.test(accept) && parseAccept(accept).length > 0
}

/** `local` answers for this server's own kinds, and gives undefined for what is not OpenAPI's. */
export function mergeOpenApi(
  services: RemoteServices,
  local: (request: ServerRequest) => Answer | undefined,
): (request: ServerRequest) => Answer | undefined | Promise<Answer | undefined> {
  async function mergedWhole(request: ServerRequest, remote: readonly RemoteVersion[]) {
    const plain = unconditional(request)
    const answer = local({ ...plain, headers: { ...plain.headers, accept: 'application/json' } })
    const document = answer && jsonOf(answer)
    if (!answer || !document) return answer
    const merged = await whole(document, remote)
    if (!wantsProtobuf(request)) return marked(answer, merged, request)
    const bytes = encodeOpenApiV2(merged)
    const headers = { vary: 'Accept', 'cache-control': 'no-cache, private' }
    return { type: 'bytes', status: 200, contentType: V2_PROTOBUF_TYPE, bytes, headers } satisfies Answer
  }
  async function mergedIndex(request: ServerRequest, remote: readonly RemoteVersion[]) {
    const answer = local(unconditional(request))
    const document = answer && jsonOf(answer)
    return answer && document ? marked(answer, await index(document, remote), request) : answer
  }

  return request => {
    const path = request.path.replace(/\/+$/, '')
    if (services.isEmpty() || !path.startsWith('/openapi/')) return local(request)
    const remote = [...services.all()].filter(each => each.fresh)
    if (path === '/openapi/v2') return remote.length ? mergedWhole(request, remote) : local(request)
    if (path === '/openapi/v3') return mergedIndex(request, [...services.all()])
    const one = [...services.all()].find(each => path === `/openapi/v3/${versionKey(each)}`)
    return one ? handOn(request, one) : local(request)
  }
}
