/** A client's request as the gateway reads it, of HTTP/1.1 and HTTP/2 alike. What is doubtful is refused. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2'
import { hostOf } from '../routing/host.ts'
import { normalPath, pathOf } from '../routing/path.ts'

export type ClientRequest = IncomingMessage | Http2ServerRequest
/** Of HTTP/2 it is Node's `Http2ServerResponse`, which has the same methods, and a stream. */
export type ClientResponse = ServerResponse & { readonly stream?: ServerHttp2Stream }

export interface Inbound {
  readonly method: string
  /** As the client wrote it, with a port where it did. */
  readonly authority: string
  /** As routes are compared with it. */
  readonly host: string
  readonly path: string
  /** As the client wrote it: path and query. */
  readonly target: string
  readonly secure: boolean
  /** The client's address. */
  readonly client: string
  /** Names and values by turns, without those of HTTP/2 itself. */
  readonly headers: readonly string[]
  /** Of its body: how many bytes it says, or that there is one of unknown length, or none. */
  readonly body: 'none' | 'sized' | 'unsized'
}

/** Of a request that names its host in its target, too (RFC 9112, 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/i

const is2 = (request: ClientRequest): request is Http2ServerRequest => request.httpVersionMajor === 2

function headersOf(request: ClientRequest): readonly string[] {
  if (!is2(request)) return request.rawHeaders
  const flat: string[] = []
  // Not the raw ones: there a cookie comes in pieces.
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || value === undefined) continue
    for (const each of Array.isArray(value) ? value : [value]) flat.push(name, each)
  }
  return flat
}

/** How often a header stands there. */
function count(headers: readonly string[], name: string): number {
  let found = 0
  for (let at = 0; at < headers.length; at += 2) if (headers[at]!.toLowerCase() === name) found++
  return found
}

function bodyOf(request: ClientRequest): Inbound['body'] {
  if (request.headers['content-length'] !== undefined) return 'sized'
  const unsized = is2(request) ? !request.stream.endAfterHeaders : request.headers['transfer-encoding'] !== undefined
  return unsized ? 'unsized' : 'none'
}

/**
 * Reads a request; undefined for one whose host or path is missing, is said twice or could be taken for another. Node's
 * parser has refused what is not HTTP, and lengths that contradict each other, before.
 */
export function readInbound(request: ClientRequest, secure: boolean): Inbound | undefined {
  const { method = 'GET', url = '' } = request
  const headers = headersOf(request)
  if (!is2(request) && count(headers, 'host') > 1) return undefined
  const [, named, rest = ''] = ABSOLUTE.exec(url) ?? []
  const target = named === undefined ? url : rest.startsWith('/') ? rest : `/${rest}`
  const authority = named ?? (is2(request) ? request.authority : undefined) ?? request.headers.host ?? ''
  const host = hostOf(authority)
  const path = normalPath(pathOf(target))
  if (host === undefined || path === undefined) return undefined
  const client = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return { method, authority, host, path, target, secure, client, headers, body: bodyOf(request) }
}
