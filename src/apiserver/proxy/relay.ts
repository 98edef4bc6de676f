/**
 * Hands a request on to another HTTP server and its answer back, both as they come: nothing is gathered. Upgrades
 * become two sockets that are joined. Where the server is and how it is reached is the target's to know.
 */

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { joinStreams } from '../../lib/join-streams.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { endToEnd, type ProxyHeaders } from './headers.ts'

export interface Target {
  /** Begins a request over a connection that suits it, as `node:http`'s `request` does. */
  open(options: RequestOptions): ClientRequest
  /** Path and query, as they are sent. */
  readonly path: string
  /** All that are sent, `host` among them. */
  readonly headers: ProxyHeaders
  /** What the client is told when there was no answer. */
  failure(error: Error): Error
  /** Changes the answer on its way; as it is when absent. */
  rewrite?(answer: RelayedAnswer): RelayedAnswer | Promise<RelayedAnswer>
}

export type RelayedAnswer = Extract<Answer, { type: 'relayed' }>

/** Sends what the client sends; a request without a body is ended at once. */
function sendBody(request: ServerRequest, outgoing: ClientRequest) {
  const { body } = request
  if (body.type === 'none') return outgoing.end()
  if (body.type === 'value') return outgoing.end(JSON.stringify(body.value))
  const stream = body.stream()
  stream.on('error', error => outgoing.destroy(error))
  stream.pipe(outgoing)
}

/** The length of a body, or that it has none: Node adds neither for methods that mostly have no body. */
function framing({ body }: ServerRequest, headers: ProxyHeaders): ProxyHeaders {
  if (body.type === 'none') {
    const { 'content-length': _, ...rest } = headers
    return rest
  }
  if (body.type === 'value')
    return {
      ...headers,
      'content-type': body.contentType,
      'content-length': String(Buffer.byteLength(JSON.stringify(body.value))),
    }
  return headers['content-length'] === undefined ? { ...headers, 'transfer-encoding': 'chunked' } : headers
}

const relayed = (response: IncomingMessage): RelayedAnswer => ({
  type: 'relayed',
  status: response.statusCode ?? 502,
  received: endToEnd(response.headers),
  stream: response,
})

/** A kept connection that the server closed as the request was sent: worth one more try where nothing was consumed. */
const wasStale = (outgoing: ClientRequest, error: NodeJS.ErrnoException, request: ServerRequest) =>
  outgoing.reusedSocket && request.body.type !== 'bytes' && (error.code === 'ECONNRESET' || error.code === 'EPIPE')

/** Asks the target and answers with what it answers. Rejects with `target.failure` when there is no answer. */
export function relay(request: ServerRequest, target: Target): Promise<Answer> {
  if (request.upgrade) return relayUpgrade(request.upgrade, target)
  return new Promise<Answer>((resolve, reject) => {
    const attempt = (again: boolean) => {
      const { method } = request
      const outgoing = target.open({ method, path: target.path, headers: framing(request, target.headers) })
      const cut = () => outgoing.destroy()
      request.signal.addEventListener('abort', cut, { once: true })
      outgoing.on('close', () => request.signal.removeEventListener('abort', cut))
      outgoing.on('response', response => {
        const answer = relayed(response)
        Promise.resolve(target.rewrite ? target.rewrite(answer) : answer).then(resolve, reject)
      })
      outgoing.on('error', error => {
        if (again && wasStale(outgoing, error, request)) attempt(false)
        else reject(target.failure(error))
      })
      sendBody(request, outgoing)
    }
    attempt(true)
  })
}

/** A response's status line and headers as they arrived, ended by an empty line. */
function headOf(response: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`]
  for (let at = 0; at + 1 < response.rawHeaders.length; at += 2)
    lines.push(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** The whole of a refusal, then the end of the connection: there is nobody to upgrade to. */
function refuse(client: Duplex, response: IncomingMessage) {
  const { 'content-length': length, ...headers } = endToEnd(response.headers)
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(each => `${name}: ${each}`),
  )
  if (length !== undefined) lines.push(`content-length: ${length}`)
  client.write(
    `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`,
  )
  response.on('error', () => client.destroy())
  response.pipe(client as Duplex & Readable)
}

function relayUpgrade(message: IncomingMessage, target: Target): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const headers = { ...target.headers, connection: 'Upgrade', upgrade: message.headers.upgrade ?? '' }
    const outgoing = target.open({ method: message.method ?? 'GET', path: target.path, headers })
    const cut = () => outgoing.destroy()
    message.socket?.once('close', cut)
    outgoing.on('error', error => reject(target.failure(error)))
    outgoing.on('upgrade', (response, server, rest) => {
      message.socket?.off('close', cut)
      server.on('error', () => {})
      resolve({
        type: 'upgrade',
        status: 101,
        accept(client, head) {
          client.write(headOf(response))
          if (rest.length) client.write(rest)
          if (head.length) server.write(head)
          joinStreams(client, server)
        },
      })
    })
    outgoing.on('response', response => {
      const status = response.statusCode ?? 502
      if (status < 400) {
        outgoing.destroy()
        reject(target.failure(new Error(`invalid upgrade response: status code ${status}`)))
      } else resolve({ type: 'upgrade', status, accept: client => refuse(client, response) })
    })
    outgoing.end()
  })
}
