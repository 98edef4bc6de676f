/** An `Answer` onto the wire. */
import { gzip } from 'node:zlib'
import type { Answer, ServerWatchEvent } from '../request.ts'
import type { ChunkPool } from './chunk-pool.ts'
import type { HttpRequest } from './incoming.ts'
import { type MediaChoice, negotiate } from './media.ts'
import type { Headers, Sink } from './sink.ts'
import { listBytes, writeList } from './write-list.ts'
import { writeWatch } from './write-watch.ts'

const JSON_TYPE = 'application/json'
const YAML_TYPE = 'application/yaml'
/** As upstream: smaller answers are not worth the time. */
const GZIP_FROM = 128 << 10

/** Text of a `Warning` header (RFC 7234, code 299). */
export const warningHeader = (text: string) =>
  `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ')}"`

function headersOf(request: HttpRequest, answer: Answer, contentType: string): Headers {
  const headers: Headers = { 'content-type': contentType, 'cache-control': 'no-cache, private', ...answer.headers }
  if (request.warnings.length) headers.warning = request.warnings.map(warningHeader)
  return headers
}

/** curl and browsers get indented JSON, as from upstream. */
function isPretty(request: HttpRequest, media: MediaChoice): boolean {
  const asked = request.query.get('pretty')
  if (asked !== null) return asked !== '0' && asked !== 'false'
  if (media.pretty) return true
  const agent = request.headers['user-agent']
  return typeof agent === 'string' && /^(curl|Wget|Mozilla\/5\.0)/.test(agent)
}

/** The JSON value of an answer that is one object or a list. */
function jsonOf(answer: Extract<Answer, { type: 'object' | 'value' | 'list' }>): unknown {
  if (answer.type === 'object') return answer.object.value
  if (answer.type === 'value') return answer.value
  const { kind, apiVersion, metadata, items } = answer
  return { kind, apiVersion, metadata, items: items.map(item => item.value) }
}

async function bodyOf(
  answer: Extract<Answer, { type: 'object' | 'value' | 'list' }>,
  media: MediaChoice,
  pretty: boolean,
) {
  if (media.format === 'yaml') {
    const { stringify } = await import('yaml')
    return Buffer.from(stringify(jsonOf(answer)))
  }
  if (pretty) return Buffer.from(`${JSON.stringify(jsonOf(answer), undefined, 2)}\n`)
  if (answer.type === 'object') return answer.object.bytes
  if (answer.type === 'value') return Buffer.from(`${JSON.stringify(answer.value)}\n`)
  return listBytes(answer)
}

const gzipped = (bytes: Buffer) =>
  new Promise<Buffer>((resolve, reject) =>
    gzip(bytes, { level: 1 }, (error, result) => (error ? reject(error) : resolve(result))),
  )

/** Compression costs more than it saves on the same machine. */
function wantsGzip(request: HttpRequest): boolean {
  return !request.loopback && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
}

async function writeWhole(
  sink: Sink,
  request: HttpRequest,
  answer: Extract<Answer, { type: 'object' | 'value' | 'list' }>,
  pool: ChunkPool,
) {
  // An error is told as JSON even to who accepts something else.
  const media = negotiate(String(request.headers.accept ?? '')) ?? { format: 'json' as const }
  const pretty = isPretty(request, media)
  const headers = headersOf(request, answer, media.format === 'yaml' ? YAML_TYPE : JSON_TYPE)
  if (answer.type === 'list' && media.format === 'json' && !pretty && !wantsGzip(request)) {
    sink.head(answer.status, headers)
    await writeList(sink, answer, pool)
    return
  }
  let body = await bodyOf(answer, media, pretty)
  if (body.length >= GZIP_FROM && wantsGzip(request)) {
    body = await gzipped(body)
    headers['content-encoding'] = 'gzip'
    headers.vary = 'accept-encoding'
  }
  headers['content-length'] = String(body.length)
  sink.head(answer.status, headers)
  // One write: a newline of its own would cost a second frame.
  sink.end(body)
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
  readonly lines: (batch: readonly ServerWatchEvent[]) => Buffer
}

/** Writes everything but upgrades. Rejects when a stream breaks after its head was sent. */
export async function writeAnswer(
  sink: Sink,
  request: HttpRequest,
  answer: Exclude<Answer, { type: 'upgrade' }>,
  shared: SharedWriters,
): Promise<void> {
  switch (answer.type) {
    case 'object':
    case 'value':
    case 'list':
      return writeWhole(sink, request, answer, shared.pool)
    case 'watch':
      sink.head(answer.status, headersOf(request, answer, JSON_TYPE))
      return writeWatch(sink, answer, shared.lines)
    case 'bytes':
      sink.head(answer.status, {
        ...headersOf(request, answer, answer.contentType),
        'content-length': String(answer.bytes.length),
      })
      return sink.end(Buffer.from(answer.bytes.buffer, answer.bytes.byteOffset, answer.bytes.byteLength))
    case 'stream':
      sink.head(answer.status, headersOf(request, answer, answer.contentType))
      return writeStream(sink, answer.stream)
  }
}
