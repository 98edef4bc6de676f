/** An `Answer` onto the wire. */
import type { Answer } from '../request.ts'
import { isPretty, writeBody } from './body.ts'
import type { ChunkPool } from './chunk-pool.ts'
import type { WireObserver } from './https-server.ts'
import type { HttpRequest } from './incoming.ts'
import { JSON_TYPE, type MediaChoice, negotiate, PROTOBUF_TYPE } from './media.ts'
import type { Headers, Sink } from './sink.ts'
import { type JoinEvents, watchFrames, writeWatch } from './write-watch.ts'

const JSON_CHOICE: MediaChoice = { format: 'json' }

/** Text of a `Warning` header (RFC 7234, code 299). */
export const warningHeader = (text: string) =>
  `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')}"`

function headersOf(request: HttpRequest, answer: Answer, contentType: string): Headers {
  const headers: Headers = { 'content-type': contentType, 'cache-control': 'no-cache, private', ...answer.headers }
  if (request.warnings.length) headers.warning = request.warnings.map(warningHeader)
  const { flow } = request
  if (flow?.flow.uid) headers['x-kubernetes-pf-flowschema-uid'] = flow.flow.uid
  if (flow?.level.uid) headers['x-kubernetes-pf-prioritylevel-uid'] = flow.level.uid
  return headers
}

/** Another server's own, and the warnings that are ours. */
function relayedHeaders(request: HttpRequest, received: Readonly<Headers>): Headers {
  if (!request.warnings.length) return { ...received }
  const theirs = received.warning ?? []
  return { ...received, warning: [theirs, request.warnings.map(warningHeader)].flat() }
}

/** An error is told in a form that the client accepts where there is one, and as JSON that people read where not. */
function errorMedia(request: HttpRequest): MediaChoice {
  const accept = String(request.headers.accept ?? '')
  return negotiate(accept, { protobuf: true, transforms: false }) ?? { format: 'json', pretty: true }
}

async function writeStream(sink: Sink, stream: AsyncIterable<Uint8Array>) {
  for await (const chunk of stream) {
    if (sink.closed) break
    if (!sink.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await sink.drained()
  }
  sink.end()
}

/** What all answers of a server share. */
export interface SharedWriters {
  readonly pool: ChunkPool
  readonly lines: JoinEvents
  readonly observer?: WireObserver | undefined
  /** Made with the first watch in protobuf. */
  frames?: JoinEvents
}

async function joinerOf(media: MediaChoice, shared: SharedWriters): Promise<JoinEvents> {
  if (media.format !== 'protobuf') return shared.lines
  const { protobufFrame } = await import('./write-protobuf.ts')
  return (shared.frames ??= watchFrames(protobufFrame))
}

async function writeEvents(
  sink: Sink,
  request: HttpRequest,
  answer: Extract<Answer, { type: 'watch' }>,
  shared: SharedWriters,
): Promise<void> {
  const media = request.media ?? JSON_CHOICE
  const join = await joinerOf(media, shared)
  const type = media.format === 'protobuf' ? `${PROTOBUF_TYPE};stream=watch` : JSON_TYPE
  sink.headNow(answer.status, headersOf(request, answer, type))
  return writeWatch(sink, answer, join, (count, bytes) => shared.observer?.watched(request, count, bytes))
}

/**
 * Writes everything but upgrades; a promise where there is something to wait for. Rejects when a stream breaks after its
 * head was sent.
 */
export function writeAnswer(
  sink: Sink,
  request: HttpRequest,
  answer: Exclude<Answer, { type: 'upgrade' }>,
  shared: SharedWriters,
): Promise<void> | void {
  switch (answer.type) {
    case 'object':
    case 'value':
    case 'list': {
      const chosen = answer.status >= 400 ? errorMedia(request) : (request.media ?? JSON_CHOICE)
      const media = isPretty(request, chosen) ? { ...chosen, pretty: true } : chosen
      return writeBody(sink, request, answer, media, headersOf(request, answer, JSON_TYPE), shared.pool)
    }
    case 'watch':
      return writeEvents(sink, request, answer, shared)
    case 'bytes':
      sink.head(answer.status, {
        ...headersOf(request, answer, answer.contentType),
        'content-length': String(answer.bytes.length),
      })
      return sink.end(Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.byteLength))
    case 'stream':
      sink.headNow(answer.status, headersOf(request, answer, answer.contentType))
      return writeStream(sink, answer.stream)
    case 'relayed':
      sink.headNow(answer.status, relayedHeaders(request, answer.received))
      return writeStream(sink, answer.stream)
  }
}
