/** Kubernetes paths are regular, so they are read by hand (DESIGN D4). */
import type { RequestInfo } from '../request.ts'

/** What lives below a namespace itself, not in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** A boolean query parameter as apimachinery reads it: present, and not `false` or `0`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

const decode = (segment: string) => (segment.includes('%') ? decodeURIComponent(segment) : segment)

function nonResource(method: string): RequestInfo {
  return {
    isResource: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  }
}

/** The name that a field selector pins, for authorization of lists and watches of one object. */
function selectedName(fieldSelector: string | null): string {
  const match = fieldSelector && /(?:^|,)metadata\.name==?([^,]+)/.exec(fieldSelector)
  return match ? match[1]! : ''
}

/**
 * Reads method, path and query (k8s.io/apiserver RequestInfoFactory). `path` is percent-encoded and without the query.
 * Throws URIError for a path that cannot be decoded.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const key = query.size === 0 ? `${method} ${path}` : ''
  const before = key && known.get(key)
  if (before) return before
  const info = parse(method, path, query)
  // Collections are few and asked for again and again; objects are many.
  if (key && info.isResource && info.name === '' && key.length < KNOWN_LENGTH) {
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(key, Object.freeze(info))
  }
  return info
}

const KNOWN_LIMIT = 1000
const KNOWN_LENGTH = 300
const known = new Map<string, RequestInfo>()

function parse(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split('/')
  const isCore = parts[1] === 'api'
  if (!isCore && parts[1] !== 'apis') return nonResource(method)
  if (parts[parts.length - 1] === '') parts.pop()
  const first = isCore ? 3 : 4
  if (parts.length <= first) return nonResource(method)

  let verb = VERBS[method] ?? ''
  const segments = path.includes('%') ? parts.slice(first).map(decode) : parts.slice(first)
  if (segments[0] === 'watch' && segments.length > 1) {
    verb = 'watch'
    segments.shift()
  }
  let namespace = ''
  if (segments[0] === 'namespaces' && segments.length > 1) {
    namespace = segments[1]!
    if (segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2]!)) segments.splice(0, 2)
  }
  const [resource = '', name = '', subresource = '', ...rest] = segments
  let target = name
  if (!name && verb === 'get') {
    verb = isTrue(query.get('watch')) ? 'watch' : 'list'
    target = selectedName(query.get('fieldSelector'))
  } else if (!name && verb === 'delete') verb = 'deletecollection'
  return {
    isResource: true,
    verb,
    group: isCore ? '' : decode(parts[2]!),
    version: decode(parts[first - 1]!),
    namespace,
    resource,
    subresource,
    name: target,
    rest: rest.join('/'),
  }
}
