/**
 * `/api`, `/apis` and what lies below, derived from the kind list and kept as bytes until that list changes
 * (DESIGN D1).
 */
import { createHash } from 'node:crypto'
import { parseAccept } from '../http/media.ts'
import { keptByKinds } from '../registry/kept.ts'
import type { KindTable } from '../registry/kind-table.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { discoveryItem } from './aggregated.ts'
import { type DiscoveryGroup, groupsOf } from './groups.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'

interface Document {
  readonly bytes: Buffer
  readonly etag: string
}

const AGGREGATED = 'apidiscovery.k8s.io'

/** The version of aggregated discovery that the client likes best; undefined: it wants the older form. */
function aggregatedVersion(request: ServerRequest): 'v2' | 'v2beta1' | undefined {
  for (const { type, subtype, params } of parseAccept(String(request.headers.accept ?? ''))) {
    if (type !== 'application' || subtype !== 'json') continue
    if (params.as === undefined) return undefined
    if (params.g !== AGGREGATED || params.as !== 'APIGroupDiscoveryList') continue
    if (params.v === 'v2' || params.v === 'v2beta1') return params.v
  }
  return undefined
}

function encode(value: unknown): Document {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(`${JSON.stringify(value)}\n`)
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` }
}

/** Makes the handler; it gives undefined for paths that are not discovery's, or name nothing that is served. */
export function discovery(kinds: KindTable): (request: ServerRequest) => Answer | undefined {
  /** Items of aggregated discovery, one for each group. */
  const items = keptByKinds<string>()
  let documents = new Map<string, Document>()
  let groups: DiscoveryGroup[] = []
  let generation = -1

  function legacyValue(path: string, host: string): unknown {
    const [, root, group = '', version = ''] = path.split('/')
    if (root === 'api') {
      if (!group) return apiVersions(groups, host)
      const core = groups.find(each => each.group === '')?.versions.find(each => each.version === group)
      return core && apiResourceList('', core)
    }
    if (!group) return apiGroupList(groups)
    const found = groups.find(each => each.group === group && each.group !== '')
    if (!version) return found && apiGroup(found)
    const list = found?.versions.find(each => each.version === version)
    return list && apiResourceList(group, list)
  }

  function aggregated(path: string, version: 'v2' | 'v2beta1'): Buffer {
    const own = groups.filter(each => (each.group === '') === (path === '/api'))
    const texts = own.map(group => {
      const kindsOf = group.versions.flatMap(each => each.kinds)
      return items.get(`${version} ${group.group}`, kindsOf, () => JSON.stringify(discoveryItem(group)))
    })
    return Buffer.from(
      `{"kind":"APIGroupDiscoveryList","apiVersion":"${AGGREGATED}/${version}","metadata":{},"items":[${texts.join()}]}\n`,
    )
  }

  function document(key: string, make: () => unknown): Document | undefined {
    if (generation !== kinds.generation()) {
      documents = new Map()
      groups = groupsOf(kinds.all())
      items.retain(key => groups.some(each => key.endsWith(` ${each.group}`)))
      generation = kinds.generation()
    }
    let known = documents.get(key)
    if (known) return known
    const value = make()
    if (value === undefined) return undefined
    documents.set(key, (known = encode(value)))
    return known
  }

  return request => {
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path
    if (!/^\/apis?(\/|$)/.test(path)) return undefined
    const root = path === '/api' || path === '/apis'
    const version = root ? aggregatedVersion(request) : undefined
    const host = String(request.headers[':authority'] ?? request.headers.host ?? '')
    const found = version
      ? document(`${path} ${version}`, () => aggregated(path, version))
      : document(path === '/api' ? `${path} ${host}` : path, () => legacyValue(path, host))
    if (!found) return undefined
    const contentType = version
      ? `application/json;g=${AGGREGATED};v=${version};as=APIGroupDiscoveryList`
      : 'application/json'
    const headers = { vary: 'Accept', ...(version && { etag: found.etag, 'cache-control': 'public' }) }
    if (version && request.headers['if-none-match'] === found.etag) {
      return { status: 304, type: 'bytes', contentType, bytes: Buffer.alloc(0), headers }
    }
    return { status: 200, type: 'bytes', contentType, bytes: found.bytes, headers }
  }
}
