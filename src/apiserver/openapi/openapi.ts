/**
 * `/openapi/v3` (an index, and one document for each group and version) and `/openapi/v2` (all in one), derived from
 * the kind list when first asked for (DESIGN D1).
 */
import { createHash } from 'node:crypto'
import type { Kind } from '../../api/machinery/kind.ts'
import { notAcceptable } from '../../api/machinery/status-error.ts'
import { subresourcesOf } from '../discovery/groups.ts'
import { includes, parseAccept } from '../http/media.ts'
import { keptByKinds } from '../registry/kept.ts'
import type { KindTable } from '../registry/kind-table.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { pathsOf, subresourceSchema } from './paths.ts'
import { type Dialect, schemasFor, V2, V3 } from './schemas.ts'
import { encodeOpenApiV2, V2_PROTOBUF_TYPE } from './v2-protobuf.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const ALWAYS = [`${META}.DeleteOptions`, `${META}.Patch`, `${META}.Status`, `${META}.APIResourceList`]
const V2_PROTOBUF = /^application\/com\.github\.proto-openapi\.spec\.v2/

const hash = (text: string | Buffer) => createHash('sha512').update(text).digest('hex').toUpperCase()

/** `api/v1`, `apis/apps/v1`, …: the key of a kind's document in the index. */
const documentOf = (kind: Kind) => (kind.group ? `apis/${kind.group}/${kind.version}` : `api/${kind.version}`)

function contents(kinds: readonly Kind[], dialect: Dialect) {
  const paths = Object.assign({}, ...kinds.map(kind => pathsOf(kind, dialect))) as object
  const below = kinds.flatMap(kind => subresourcesOf(kind).map(each => subresourceSchema(kind, each)))
  const more = [...ALWAYS, ...below.filter(name => name !== undefined)]
  return { paths, schemas: schemasFor(kinds, more, dialect) }
}

interface Document {
  readonly bytes: Buffer
  readonly etag: string
}

function encode(value: object): Document {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
  return { bytes, etag: `"${hash(bytes)}"` }
}

const INDEX = ''
/** What Kubernetes writes over the documents of custom kinds. */
const CUSTOM_INFO = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' }

/** Makes the handler; undefined for other paths, and for documents of groups that are not served. */
export function openApi(kinds: KindTable, version: string): (request: ServerRequest) => Answer | undefined {
  const info = { title: 'Kubernetes', version }
  const kept = keptByKinds<Document>()
  let byDocument = new Map<string, Kind[]>()
  let generation = -1

  /** Kinds by the key of their document, of which there may be new ones. */
  function current(): Map<string, Kind[]> {
    if (generation !== kinds.generation()) {
      byDocument = Map.groupBy(kinds.all(), documentOf)
      generation = kinds.generation()
      kept.retain(key => key === INDEX || byDocument.has(key))
    }
    return byDocument
  }
  function v3(key: string): Document | undefined {
    const own = current().get(key)
    return (
      own &&
      kept.get(key, own, () => {
        const { paths, schemas } = contents(own, V3)
        return encode({ openapi: '3.0.0', info: own[0]?.custom ? CUSTOM_INFO : info, paths, components: { schemas } })
      })
    )
  }
  function index(): Document {
    return kept.get(INDEX, kinds.all(), () => {
      const paths = [...current()].map(([key, own]) => {
        const parts = own.map(kind => `${kind.key} ${kind.custom?.fingerprint ?? ''}`)
        return [key, { serverRelativeURL: `/openapi/v3/${key}?hash=${hash(`${version} ${parts.join('\n')}`)}` }]
      })
      return encode({ paths: Object.fromEntries(paths) })
    })
  }
  function v2(): object {
    const { paths, schemas } = contents(kinds.all(), V2)
    return { swagger: '2.0', info, paths, definitions: schemas }
  }

  function acceptsJson(request: ServerRequest): boolean {
    const { accept } = request.headers
    if (!accept) return true
    const clauses = parseAccept(String(accept))
    return clauses.some(clause => includes(clause, 'application/json'))
  }

  return request => {
    const path = request.path.replace(/\/+$/, '')
    if (!path.startsWith('/openapi/')) return undefined
    const isV2 = path === '/openapi/v2'
    if (!isV2 && path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return undefined
    const asProtobuf = isV2 && V2_PROTOBUF.test(String(request.headers.accept ?? ''))
    if (isV2 && !asProtobuf && !acceptsJson(request)) throw notAcceptable(['application/json', V2_PROTOBUF_TYPE])
    const key = path.slice('/openapi/v3/'.length)
    // Version 2 is large and hardly ever asked for twice: it is not kept.
    const found = isV2 ? encode(asProtobuf ? encodeOpenApiV2(v2()) : v2()) : path === '/openapi/v3' ? index() : v3(key)
    if (!found) return undefined
    const headers = { etag: found.etag, vary: 'Accept', 'cache-control': 'no-cache, private' }
    const contentType = asProtobuf ? V2_PROTOBUF_TYPE : 'application/json'
    if (request.headers['if-none-match'] === found.etag) {
      return { status: 304, type: 'bytes', contentType, bytes: Buffer.alloc(0), headers }
    }
    return { status: 200, type: 'bytes', contentType, bytes: found.bytes, headers }
  }
}
