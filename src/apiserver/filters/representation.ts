/**
 * The form that the client accepts: Tables and PartialObjectMetadata instead of objects. Decided before the handler
 * runs, so that a write is not done and then answered with 406.
 */
import { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, noRepresentation, notAcceptable, notShowable } from '../../api/machinery/status-error.ts'
import { type TableOptions, toPartialObjectMetadata, toTable } from '../../api/machinery/table.ts'
import type { Clock } from '../../lib/clock.ts'
import { ACCEPTED, ACCEPTED_STREAMS, includes, type MediaChoice, negotiate, parseAccept } from '../http/media.ts'
import type { Answer, Filter, RequestInfo, ServerRequest, ServerWatchEvent } from '../request.ts'

type Include = NonNullable<TableOptions['includeObject']>

const encode = (value: object, revision: number) => new Encoded(Buffer.from(JSON.stringify(value)), revision)

function includeObject(request: ServerRequest): Include {
  const asked = request.query.get('includeObject') || 'Metadata'
  if (asked !== 'Metadata' && asked !== 'Object' && asked !== 'None') {
    const problem = `includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`
    throw badRequest(`Unable to convert to Table as requested: ${problem}`)
  }
  return asked
}

const versionOf = ({ metadata }: KubeObject) =>
  metadata?.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}

/** Rewrites the object of every event. Statuses and, for Tables, nothing else stay as they are. */
async function* rewritten(
  events: AsyncIterable<readonly ServerWatchEvent[]>,
  rewrite: (object: KubeObject, type: ServerWatchEvent['type']) => object,
): AsyncGenerator<readonly ServerWatchEvent[]> {
  for await (const batch of events) {
    yield batch.map(event =>
      event.type === 'ERROR'
        ? event
        : { type: event.type, object: encode(rewrite(event.object.value, event.type), event.object.revision) },
    )
  }
}

function asTable(answer: Answer, kind: Kind, media: MediaChoice, include: Include, now: () => number): Answer {
  const options = (metadata: object): TableOptions => ({
    includeObject: include,
    now: now(),
    metadata,
    version: media.version,
  })
  if (answer.type === 'object') {
    const object = answer.object.value
    const { status, headers } = answer
    const value = toTable(answer.kind ?? kind, [object], options(versionOf(object)))
    return { status, ...(headers && { headers }), type: 'value', value }
  }
  if (answer.type === 'list') {
    const objects = answer.items.map(item => item.value)
    return { status: answer.status, type: 'value', value: toTable(kind, objects, options(answer.metadata)) }
  }
  if (answer.type !== 'watch') return answer
  let first = true
  const events = rewritten(answer.events, (object, type) => {
    const rows = type === 'BOOKMARK' ? [] : [object]
    const table = toTable(kind, rows, { ...options(versionOf(object)), noHeaders: !first })
    first = false
    return table
  })
  return { ...answer, events }
}

/** Upstream's router looks at Accept before its handlers do; it knows types by their full names, and the range of all. */
const isRouted = (accept: string) =>
  (ACCEPTED as readonly string[]).includes(accept) ||
  accept.split(',').some(clause => {
    const type = clause.split(';', 1)[0]!.trim()
    return type === '*/*' || (ACCEPTED as readonly string[]).includes(type)
  })

/** What it says of others. */
function routeMessage({ verb }: RequestInfo): string {
  const offered = verb === 'list' || verb === 'watch' ? [...ACCEPTED, ...ACCEPTED_STREAMS] : ACCEPTED
  return `406: Not Acceptable\n\nAvailable representations: ${offered.join(', ')}`
}

const isList = (media: MediaChoice) => media.as === 'PartialObjectMetadataList'

/** What Go calls the type of these objects. */
const goType = (kind: Kind, name: string) =>
  kind.custom
    ? `*unstructured.Unstructured${name === kind.kind ? '' : 'List'}`
    : `*${kind.group.split('.')[0] || 'core'}.${name}`

const mismatch = ({ as }: MediaChoice, but: string) => notShowable(`you requested ${as}, but ${but}`)

function asMetadata(answer: Answer, kind: Kind, media: MediaChoice): Answer {
  const { version } = media
  const shown = ({ value, revision }: Encoded) => encode(toPartialObjectMetadata(value, version), revision)
  if (answer.type === 'object') {
    if (isList(media)) throw mismatch(media, `the requested object is not a list (${goType(kind, kind.kind)})`)
    return { ...answer, object: shown(answer.object) }
  }
  if (answer.type === 'list') {
    if (!isList(media)) throw mismatch(media, `the requested object is a list (${goType(kind, kind.listKind)})`)
    const apiVersion = `meta.k8s.io/${version ?? 'v1'}`
    return { ...answer, kind: 'PartialObjectMetadataList', apiVersion, items: answer.items.map(shown), untyped: false }
  }
  if (answer.type !== 'watch') return answer
  return { ...answer, events: rewritten(answer.events, object => toPartialObjectMetadata(object, version)) }
}

/** 406: either no type that it accepts is known, or no form of it. */
function refusal(accept: string, { name, verb }: RequestInfo) {
  if (parseAccept(accept).some(clause => ACCEPTED.some(type => includes(clause, type)))) return notAcceptable(ACCEPTED)
  const streams = name === '' && (verb === 'list' || verb === 'watch')
  return noRepresentation(streams ? [...ACCEPTED, ...ACCEPTED_STREAMS] : ACCEPTED)
}

/**
 * Answers with what the client accepts; 406 where that cannot be made. Only resource requests are asked. `kindOf` finds
 * the kind of a request's resource.
 */
export function representationFilter(clock: Clock, kindOf: (info: RequestInfo) => Kind | undefined): Filter {
  return next => request => {
    const { accept } = request.headers
    const { info } = request
    if (!accept || !info.isResource || request.upgrade) return next(request)
    const kind = kindOf(info)
    // A verb that a review does not know is refused first.
    if (kind?.virtual && !kind.verbs.some(verb => verb === info.verb)) return next(request)
    if (kind && !info.subresource && !isRouted(String(accept))) throw notShowable(routeMessage(info), {})
    // Custom objects have no wire message.
    const protobuf = !kind?.custom
    const media = negotiate(String(accept), { protobuf, transforms: true })
    // What special resources answer (logs, proxies) is theirs to say.
    if (!media && !info.subresource) throw refusal(String(accept), info)
    if (!media) return next(request)
    if (media.format === 'yaml' && info.verb === 'watch') throw notAcceptable(ACCEPTED_STREAMS)
    request.media = media
    if (!media.as) return next(request)
    const include = media.as === 'Table' ? includeObject(request) : 'None'
    return next(request).then(answer => {
      if (!request.kind || answer.status >= 400) return answer
      return media.as === 'Table'
        ? asTable(answer, request.kind, media, include, clock.now)
        : asMetadata(answer, request.kind, media)
    })
  }
}
