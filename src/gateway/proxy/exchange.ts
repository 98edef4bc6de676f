/**
 * One request to a backend and its answer, with nothing kept on the way: both bodies are streams, and who reads slowly
 * makes the other side wait.
 */
import type { Backends, Endpoint } from '../backends/backends.ts'
import type { Target } from '../routing/route.ts'
import { refuse } from './answer.ts'
import { ATTEMPTS, isRepeatable, mayRepeat, statusOfFailure, statusOfUnsent } from './attempt.ts'
import { toBackend } from './headers.ts'
import type { ClientRequest, ClientResponse, Inbound } from './inbound.ts'
import type { Answer, Send, Sending } from './sending.ts'

export interface ExchangeDeps {
  readonly backends: Backends
  /** For endpoints of either protocol. */
  readonly http1: Send
  readonly http2: Send
}

/** RFC 9113, section 7. */
const INTERNAL_ERROR = 2

/** Ends an answer that has begun so that the client does not take the half for the whole. */
function cut(response: ClientResponse) {
  if (response.stream) response.stream.close(INTERNAL_ERROR)
  else response.destroy()
}

/** Hands the backend's answer on. */
function hand(response: ClientResponse, { status, message, headers, body, headOnly, trailers }: Answer) {
  if (response.stream) {
    for (let at = 0; at < headers.length; at += 2) response.appendHeader(headers[at]!, headers[at + 1]!)
    response.statusCode = status
  } else response.writeHead(status, message, headers as string[])
  body.on('error', () => cut(response))
  if (headOnly) {
    body.resume()
    response.end()
    return
  }
  body.on('end', () => {
    const last = trailers()
    if (last) response.addTrailers(last)
  })
  body.pipe(response)
  // The head goes out with the first of the body; alone where that is not there yet, however long it takes to come.
  process.nextTick(() => {
    if (!body.readableDidRead) response.flushHeaders()
  })
}

/** Carries a request to one of the target's endpoints. The answer is always ended, by whoever it comes from. */
export function exchange(
  request: ClientRequest,
  response: ClientResponse,
  inbound: Inbound,
  target: Target,
  { backends, http1, http2 }: ExchangeDeps,
): void {
  const tried: Endpoint[] = []
  const hasBody = inbound.body !== 'none'
  const repeatable = isRepeatable(inbound.method, hasBody)
  const headers = toBackend(inbound)
  const { method, target: path } = inbound
  let sending: Sending | undefined
  let gone = false
  response.on('close', () => {
    gone = true
    if (!response.writableFinished) sending?.destroy()
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
    const send = endpoint.h2c ? http2 : http1
    const outgoing = { method, path, headers, hasBody, fresh: !repeatable || tried.length === ATTEMPTS }
    endpoint.inFlight++
    try {
      sending = send(endpoint, outgoing, {
        connected(body) {
          connected = true
          if (hasBody) request.pipe(body)
        },
        answered(answer) {
          begun = true
          if (gone) sending?.destroy()
          else hand(response, answer)
        },
        failed({ code }) {
          // Of an answer that has begun, its own stream tells.
          if (gone || begun) return
          if (tried.length < ATTEMPTS && mayRepeat({ repeatable, connected, code })) return attempt()
          refuse(response, statusOfFailure(code), { closing: hasBody })
        },
        closed: () => endpoint.inFlight--,
      })
    } catch {
      endpoint.inFlight--
      refuse(response, statusOfUnsent(endpoint), { closing: hasBody })
    }
  }
  attempt()
}
