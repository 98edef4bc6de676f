/**
 * The form that the client accepts: Tables and PartialObjectMetadata instead of objects. Decided before the handler
 * runs, so that a write is not done and then answered with 406.
 */
import { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, notAcceptable } from '../../api/machinery/status-error.ts'
import {
  type TableOptions,
  toPartialObjectMetadata,
  toPartialObjectMetadataList,
  toTable,
} from '../../api/machinery/table.ts'
import type { Clock } from '../../lib/clock.ts'
import { ACCEPTED, type MediaChoice, negotiate } from '../http/media.ts'
import type { Answer, Filter, ServerRequest, ServerWatchEvent } from '../request.ts'

type Include = NonNullable<TableOptions['includeObject']>

const encode = (value: object, revision: number) => new Encoded(Buffer.from(JSON.stringify(value)), revision)

function includeObject(request: ServerRequest): Include {
  const asked = request.query.get('includeObject') || 'Metadata'
  if (asked !== 'Metadata' && asked !== 'Object' && asked !== 'None') {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`)
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
    return { ...answer, type: 'value', value: toTable(kind, [object], options(versionOf(object))) }
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

function asMetadata(answer: Answer, media: MediaChoice): Answer {
  if (answer.type === 'object') {
    return { ...answer, type: 'value', value: toPartialObjectMetadata(answer.object.value, media.version) }
  }
  if (answer.type === 'list') {
    const objects = answer.items.map(item => item.value)
    const value = toPartialObjectMetadataList(objects, answer.metadata, media.version)
    return { status: answer.status, type: 'value', value }
  }
  if (answer.type !== 'watch') return answer
  return { ...answer, events: rewritten(answer.events, object => toPartialObjectMetadata(object, media.version)) }
}

/** Answers with what the client accepts; 406 where that cannot be made. Only resource requests are asked. */
export function representationFilter(clock: Clock): Filter {
  return next => async request => {
    const { accept } = request.headers
    if (!accept || !request.info.isResource || request.upgrade) return next(request)
    const media = negotiate(String(accept))
    // What special resources answer (logs, proxies) is theirs to say.
    if (!media && !request.info.subresource) throw notAcceptable(ACCEPTED)
    const include = media?.as === 'Table' ? includeObject(request) : 'None'
    const answer = await next(request)
    if (!media?.as || !request.kind || answer.status >= 400) return answer
    return media.as === 'Table' ? asTable(answer, request.kind, media, include, clock.now) : asMetadata(answer, media)
  }
}
