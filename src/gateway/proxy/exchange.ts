/**
 * One request to a backend and its answer, with nothing kept on the way: both bodies are streams, and who reads slowly
 * makes the other side wait.
 */
import type { IncomingMessage, ClientRequest as Outbound } from 'node:http'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Backends, Endpoint } from '../backends/backends.ts'
import type { Target } from '../routing/route.ts'
import { refuse } from './answer.ts'
import { ATTEMPTS, CONNECT_MS, isRepeatable, mayRepeat } from './attempt.ts'
import type { Connections } from './connections.ts'
import { endToEnd, toBackend } from './headers.ts'
import type { ClientRequest, ClientResponse, Inbound } from './inbound.ts'

export interface ExchangeDeps {
  readonly backends: Backends
  readonly connections: Connections
  readonly clock: Clock
}

/** RFC 9113, section 7. */
const INTERNAL_ERROR = 2

/** Ends an answer that has begun so that the client does not take the half for the whole. */
function cut(response: ClientResponse) {
  if (response.stream) response.stream.close(INTERNAL_ERROR)
  else response.destroy()
}

/** Hands the backend's answer on. */
function answer(response: ClientResponse, upstream: IncomingMessage) {
  const { statusCode = 502, statusMessage = '', rawHeaders } = upstream
  const headers = endToEnd(rawHeaders)
  if (response.stream) {
    for (let at = 0; at < headers.length; at += 2) response.appendHeader(headers[at]!, headers[at + 1]!)
    response.writeHead(statusCode)
  } else response.writeHead(statusCode, statusMessage, headers)
  upstream.on('error', () => cut(response))
  upstream.on('end', () => {
    if (upstream.rawTrailers.length) response.addTrailers(upstream.trailers as Record<string, string>)
  })
  upstream.pipe(response)
  // The head goes out with the first of the body; alone where that is not there yet, however long it takes to come.
  process.nextTick(() => {
    if (!upstream.readableDidRead) response.flushHeaders()
  })
}

/** Calls `then` when the connection stands, and gives the request up where that takes too long. */
function whenConnected(outbound: Outbound, clock: Clock, then: () => void) {
  outbound.once('socket', socket => {
    if (!socket.connecting) return then()
    let timer: Timer | undefined = clock.after(CONNECT_MS, () => {
      outbound.destroy(Object.assign(new Error('the backend does not take the connection'), { code: 'ETIMEDOUT' }))
    })
    const ended = () => {
      timer?.cancel()
      timer = undefined
      socket.off('close', ended)
    }
    socket.once('connect', () => {
      ended()
      then()
    })
    socket.once('close', ended)
  })
}

/** Carries a request to one of the target's endpoints. The answer is always ended, by whoever it comes from. */
export function exchange(
  request: ClientRequest,
  response: ClientResponse,
  inbound: Inbound,
  target: Target,
  { backends, connections, clock }: ExchangeDeps,
): void {
  const tried: Endpoint[] = []
  const hasBody = inbound.body !== 'none'
  const repeatable = isRepeatable(inbound.method, hasBody)
  const headers = toBackend(inbound)
  let outbound: Outbound | undefined
  let gone = false
  response.on('close', () => {
    gone = true
    if (!response.writableFinished) outbound?.destroy()
  })
  // A client that breaks off is told of by `close`.
  request.on('error', () => {})
  response.on('error', () => {})

  function attempt() {
    const endpoint = backends.pick(target, tried)
    if (!endpoint) return refuse(response, 503, { closing: hasBody })
    tried.push(endpoint)
    let connected = false
    let begun = false
    let sent: Outbound
    try {
      const options = { method: inbound.method, path: inbound.target, headers }
      sent = connections.request(endpoint, options, !repeatable || tried.length === ATTEMPTS)
    } catch {
      // Characters that no request line may have; or a host that is not to be reached.
      return refuse(response, endpoint.external ? 502 : 400, { closing: hasBody })
    }
    outbound = sent
    endpoint.inFlight++
    sent.once('close', () => endpoint.inFlight--)
    whenConnected(sent, clock, () => {
      connected = true
      if (hasBody) request.pipe(sent)
    })
    if (!hasBody) sent.end()
    sent.on('timeout', () => {
      sent.destroy(Object.assign(new Error('the backend says nothing'), { code: 'ETIMEDOUT' }))
    })
    sent.on('response', upstream => {
      begun = true
      sent.setTimeout(0)
      if (gone) return sent.destroy()
      answer(response, upstream)
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // Of an answer that has begun, its own stream tells.
      if (gone || begun) return
      if (tried.length < ATTEMPTS && mayRepeat({ repeatable, connected, code: error.code })) return attempt()
      if (hasBody) request.unpipe(sent)
      refuse(response, error.code === 'ETIMEDOUT' ? 504 : 502, { closing: hasBody })
    })
  }
  attempt()
}
