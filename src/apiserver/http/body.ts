/** Bodies of answers that are objects or lists: JSON, YAML or protobuf, compressed where that is wanted. */
import { gzip } from 'node:zlib'
import { lazy } from '../../lib/lazy.ts'
import type { Answer } from '../request.ts'
import type { ChunkPool } from './chunk-pool.ts'
import type { HttpRequest } from './incoming.ts'
import { type MediaChoice, PROTOBUF_TYPE, YAML_TYPE } from './media.ts'
import type { Headers, Sink } from './sink.ts'
import { jsonList, type ListAnswer, writePieces } from './write-list.ts'

type BodyAnswer = Extract<Answer, { type: 'object' | 'value' | 'list' }>

/** As upstream: smaller answers are not worth the time. */
const GZIP_FROM = 128 << 10
const GZIP_LEVEL = 1

/** curl and browsers get indented JSON, as from upstream. */
export function isPretty(request: HttpRequest, media: MediaChoice): boolean {
  if (media.format !== 'json') return false
  if (media.pretty) return true
  const asked = request.query.get('pretty')
  if (asked) return /^(1|t|T|TRUE|true|True)$/.test(asked)
  const agent = request.headers['user-agent']
  return typeof agent === 'string' && /^(curl|Wget|Mozilla\/5\.0)/.test(agent)
}

/** The JSON value of an answer. */
function jsonOf(answer: BodyAnswer): unknown {
  if (answer.type === 'object') return answer.object.value
  if (answer.type === 'value') return answer.value
  const { kind, apiVersion, metadata, items, untyped } = answer
  const shown = untyped
    ? items.map(({ value: { apiVersion: _, kind: _k, ...rest } }) => rest)
    : items.map(item => item.value)
  return { kind, apiVersion, metadata, items: shown }
}

async function yamlBody(answer: BodyAnswer): Promise<Buffer> {
  const { formatYaml } = await import('../../api/machinery/yaml.ts')
  return Buffer.from(formatYaml(jsonOf(answer)))
}

function jsonBody(answer: BodyAnswer, media: MediaChoice): Buffer {
  if (media.pretty) return Buffer.from(`${JSON.stringify(jsonOf(answer), undefined, 2)}\n`)
  if (answer.type === 'object') return answer.object.bytes
  if (answer.type === 'value') return Buffer.from(`${JSON.stringify(answer.value)}\n`)
  return Buffer.concat([...jsonList(answer)])
}

const gzipped = (bytes: Buffer) =>
  new Promise<Buffer>((resolve, reject) =>
    gzip(bytes, { level: GZIP_LEVEL }, (error, result) => (error ? reject(error) : resolve(result))),
  )

/** Compression costs more than it saves on the same machine. */
function wantsGzip(request: HttpRequest): boolean {
  if (request.loopback) return false
  const accepted = String(request.headers['accept-encoding'] ?? '')
  return accepted.split(',').some(each => each.trim() === 'gzip')
}

/** A promise only where the body is compressed. */
function sendWhole(
  sink: Sink,
  request: HttpRequest,
  status: number,
  headers: Headers,
  body: Buffer,
): Promise<void> | void {
  if (body.length <= GZIP_FROM || !wantsGzip(request)) return sendAsIs(sink, status, headers, body)
  return gzipped(body).then(small => {
    headers['content-encoding'] = 'gzip'
    headers.vary = 'Accept-Encoding'
    sendAsIs(sink, status, headers, small)
  })
}

function sendAsIs(sink: Sink, status: number, headers: Headers, body: Buffer) {
  headers['content-length'] = String(body.length)
  sink.head(status, headers)
  // One write: a newline of its own would cost a second frame.
  sink.end(body)
}

const protobuf = lazy(() => import('./write-protobuf.ts'))

function writeProtobuf(
  sink: Sink,
  request: HttpRequest,
  answer: BodyAnswer,
  headers: Headers,
  pool: ChunkPool,
): Promise<void> | void {
  const loaded = protobuf.now
  if (!loaded) return protobuf.load().then(() => writeProtobuf(sink, request, answer, headers, pool))
  if (answer.type === 'list') return writeProtobufList(loaded, sink, request, answer, headers, pool)
  const body = loaded.protobufBody(answer)
  headers['content-type'] = PROTOBUF_TYPE
  return sendWhole(sink, request, answer.status, headers, body)
}

async function writeProtobufList(
  { protobufList }: NonNullable<typeof protobuf.now>,
  sink: Sink,
  request: HttpRequest,
  answer: ListAnswer,
  headers: Headers,
  pool: ChunkPool,
): Promise<void> {
  const { length, pieces } = await protobufList(answer)
  headers['content-type'] = PROTOBUF_TYPE
  if (wantsGzip(request)) return sendWhole(sink, request, answer.status, headers, Buffer.concat([...pieces]))
  headers['content-length'] = String(length)
  sink.head(answer.status, headers)
  return writePieces(sink, pieces, pool)
}

const isStreamed = (answer: BodyAnswer, media: MediaChoice): answer is ListAnswer =>
  answer.type === 'list' && media.format === 'json' && !media.pretty

/**
 * Writes head and body; a promise where there is something to wait for. `headers` name JSON as the type, which is
 * changed where it is another.
 */
export function writeBody(
  sink: Sink,
  request: HttpRequest,
  answer: BodyAnswer,
  media: MediaChoice,
  headers: Headers,
  pool: ChunkPool,
): Promise<void> | void {
  if (media.format === 'protobuf') return writeProtobuf(sink, request, answer, headers, pool)
  if (isStreamed(answer, media) && !wantsGzip(request)) {
    sink.head(answer.status, headers)
    return writePieces(sink, jsonList(answer), pool)
  }
  if (media.format !== 'yaml') return sendWhole(sink, request, answer.status, headers, jsonBody(answer, media))
  headers['content-type'] = YAML_TYPE
  return yamlBody(answer).then(body => sendWhole(sink, request, answer.status, headers, body))
}
