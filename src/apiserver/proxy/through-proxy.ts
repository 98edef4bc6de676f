/** A request to the proxy of something in the cluster: its path behind the proxy, and its answer's way back. */
import type { RequestOptions } from 'node:http'
import { promisify } from 'node:util'
import { deflate, gunzip, gzip, inflate } from 'node:zlib'
import { StatusError, serviceUnavailable } from '../../api/machinery/status-error.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { forwardedHeaders, type ProxyHeaders } from './headers.ts'
import { type ProxyPlace, rewriteHtml, throughProxy } from './links.ts'
import { networkErrorText } from './network-error.ts'
import { type RelayedAnswer, relay } from './relay.ts'
import { type Connector, openOver } from './target.ts'

/** Pages larger than this, in bytes, go through with their links as they are. */
const PAGE_LIMIT = 16 << 20

interface Coding {
  decode(bytes: Buffer): Promise<Buffer>
  encode(bytes: Buffer): Promise<Buffer>
}

const same = async (bytes: Buffer) => bytes
const unzipped = { maxOutputLength: PAGE_LIMIT }

const CODINGS: Readonly<Record<string, Coding>> = {
  '': { decode: same, encode: same },
  gzip: { decode: bytes => promisify(gunzip)(bytes, unzipped), encode: promisify(gzip) },
  deflate: { decode: bytes => promisify(inflate)(bytes, unzipped), encode: promisify(deflate) },
}

async function* followedBy(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks
  yield* { [Symbol.asyncIterator]: () => rest }
}

/** The page with its links led through the proxy. */
async function rewritePage(answer: RelayedAnswer, place: ProxyPlace, coding: Coding): Promise<RelayedAnswer> {
  const chunks: Uint8Array[] = []
  let size = 0
  const stream = answer.stream[Symbol.asyncIterator]()
  for (;;) {
    const next = await stream.next()
    if (next.done) break
    chunks.push(next.value)
    size += next.value.length
    if (size > PAGE_LIMIT) return { ...answer, stream: followedBy(chunks, stream) }
  }
  const whole = Buffer.concat(chunks)
  let bytes: Buffer = whole
  try {
    // Latin 1 keeps every byte as it is; the markup that matters here is ASCII.
    const page = rewriteHtml((await coding.decode(whole)).toString('latin1'), place)
    bytes = await coding.encode(Buffer.from(page, 'latin1'))
  } catch {
    // What cannot be unpacked is the client's to complain of.
  }
  const { 'content-length': _, ...received } = answer.received
  return { ...answer, received: { ...received, 'content-length': String(bytes.length) }, stream: one(bytes) }
}

async function* one(bytes: Uint8Array) {
  yield bytes
}

const CORS = ['allow-credentials', 'allow-headers', 'allow-methods', 'allow-origin'].map(
  name => `access-control-${name}`,
)

function leadBack(request: ServerRequest, place: ProxyPlace) {
  return (answer: RelayedAnswer): RelayedAnswer | Promise<RelayedAnswer> => {
    const received: ProxyHeaders = { ...answer.received }
    // Which origins may read the API is not for what runs in the cluster to say.
    for (const name of CORS) delete received[name]
    if (typeof received.location === 'string' && received.location) {
      received.location = throughProxy(received.location, place)
      return { ...answer, received }
    }
    const coding = CODINGS[String(received['content-encoding'] ?? '')]
    const isPage = /^text\/html\s*(;|$)/.test(String(received['content-type'] ?? ''))
    const hasBody = request.method !== 'HEAD' && answer.status !== 204 && answer.status !== 304
    return isPage && coding && hasBody ? rewritePage({ ...answer, received }, place, coding) : { ...answer, received }
  }
}

/** What stands before and after the word `proxy` that ends a path of `segments` names, as it was sent. */
function splitPath(path: string, segments: number) {
  const parts = path.split('/')
  return {
    prefix: parts.slice(0, segments + 1).join('/'),
    rest: parts.length > segments + 1 ? `/${parts.slice(segments + 1).join('/')}` : '',
  }
}

const rawQuery = ({ query }: ServerRequest) => {
  const text = query.toString()
  return text ? `?${text}` : ''
}

/** The sentence of a failure on the way to the server behind. */
function unreachable(error: Error): StatusError {
  if (error instanceof StatusError && error.code < 500) return error
  const text = error instanceof StatusError ? error.message : networkErrorText(error)
  return Object.assign(serviceUnavailable(`error trying to reach service: ${text}`), { cause: error })
}

/**
 * Hands a request on to what `connector` reaches. `segments` is how many names the path has up to `proxy`, that one
 * included; `host` is what links to the server itself name.
 */
export async function throughProxyTo(
  request: ServerRequest,
  connector: Connector,
  options: { readonly segments: number; readonly host: string },
): Promise<Answer> {
  const { prefix, rest } = splitPath(request.path, options.segments)
  const { method } = request
  // A page's relative links need the slash.
  if (!rest && !request.upgrade && (method === 'GET' || method === 'HEAD')) {
    const location = `${prefix}/${rawQuery(request)}`
    return {
      status: 301,
      type: 'bytes',
      contentType: 'text/plain; charset=utf-8',
      bytes: Buffer.alloc(0),
      headers: { location },
    }
  }
  const headers = forwardedHeaders(request.headers, request.remoteAddress)
  headers['x-forwarded-uri'] = `${prefix}${rest}`
  const place = { prefix, target: options.host, asked: String(headers.host ?? '') }
  return relay(request, {
    open: (more: RequestOptions) => openOver(connector, more),
    path: `${rest || '/'}${rawQuery(request)}`,
    headers,
    failure: unreachable,
    rewrite: leadBack(request, place),
  })
}
