/**
 * `/api`, `/apis` and what lies below, derived from the kind list and kept as bytes until that list changes
 * (DESIGN D1).
 */
import { createHash } from 'node:crypto'
import { keptByKinds } from '../registry/kept.ts'
import type { KindTable } from '../registry/kind-table.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { discoveryItem } from './aggregated.ts'
import { type DiscoveryGroup, groupsOf } from './groups.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'
import { AGGREGATED_PARAMETERS, formOf, isRoot } from './representation.ts'

interface Document {
  readonly bytes: Buffer
  readonly etag: string
}

/** Documents that are kept; there is one for each name by which clients call the server. */
const DOCUMENTS = 1000

function encode(value: unknown): Document {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(`${JSON.stringify(value)}\n`)
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` }
}

/** Makes the handler, which answers in JSON; it gives undefined for paths that are not discovery's, or name nothing that is served. */
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

  function aggregated(path: string): Buffer {
    const own = groups.filter(each => (each.group === '') === (path === '/api'))
    const texts = own.map(group => {
      const kindsOf = group.versions.flatMap(each => each.kinds)
      return items.get(group.group, kindsOf, () => JSON.stringify(discoveryItem(group)))
    })
    return Buffer.from(
      `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[${texts.join()}]}\n`,
    )
  }

  function document(key: string, make: () => unknown): Document | undefined {
    if (generation !== kinds.generation()) {
      documents = new Map()
      groups = groupsOf(kinds.all())
      items.retain(key => groups.some(each => each.group === key))
      generation = kinds.generation()
    }
    let known = documents.get(key)
    if (known) return known
    const value = make()
    if (value === undefined) return undefined
    if (documents.size >= DOCUMENTS) documents.clear()
    documents.set(key, (known = encode(value)))
    return known
  }

  return request => {
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path
    if (!/^\/apis?(\/|$)/.test(path)) return undefined
    const isAggregated = formOf(String(request.headers.accept ?? ''), isRoot(path))?.aggregated ?? false
    const host = String(request.headers[':authority'] ?? request.headers.host ?? '')
    const found = isAggregated
      ? document(`${path} aggregated`, () => aggregated(path))
      : document(path === '/api' ? `${path} ${host}` : path, () => legacyValue(path, host))
    if (!found) return undefined
    const contentType = `application/json${isAggregated ? AGGREGATED_PARAMETERS : ''}`
    const headers = { vary: 'Accept', ...(isAggregated && { etag: found.etag, 'cache-control': 'public' }) }
    if (isAggregated && request.headers['if-none-match'] === found.etag) {
      return { status: 304, type: 'bytes', contentType, bytes: Buffer.alloc(0), headers }
    }
    return { status: 200, type: 'bytes', contentType, bytes: found.bytes, headers }
  }
}
