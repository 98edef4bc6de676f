/**
 * Calls from inside the process (DESIGN section 2): the same pipeline without a wire. Objects are handed out parsed
 * and shared; nothing is encoded again.
 */
import type { Kind } from '../api/machinery/kind.ts'
import { eventLines } from '../client/event-lines.ts'
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '../client/transport.ts'
import { readBody } from '../lib/bounded-body.ts'
import type { UserInfo } from './authentication/authenticator.ts'
import type { MediaChoice } from './http/media.ts'
import { parseRequestInfo } from './http/request-info.ts'
import type { Answer, Handler, RequestBody, RequestInfo, ServerRequest, ServerWatchEvent } from './request.ts'
import { Warnings } from './warnings.ts'

const NO_QUERY = new URLSearchParams()
const NO_BODY: RequestBody = { type: 'none' }

class LocalRequest implements ServerRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestBody
  readonly info: RequestInfo
  readonly local = true
  user: UserInfo
  kind?: Kind
  media?: MediaChoice
  readonly #warnings = new Warnings()
  #signal: AbortSignal | undefined

  constructor(request: ApiRequest, user: UserInfo) {
    this.method = request.method
    this.path = request.path
    this.query = request.query ? new URLSearchParams(request.query) : NO_QUERY
    this.headers = request.accept ? { accept: request.accept } : {}
    this.body =
      request.body === undefined
        ? NO_BODY
        : { type: 'value', contentType: request.contentType ?? 'application/json', value: request.body }
    this.#signal = request.signal
    this.info = parseRequestInfo(request.method, request.path, this.query)
    this.user = user
  }

  /** One that never aborts is made when somebody asks: one for all would gather listeners. */
  get signal(): AbortSignal {
    return (this.#signal ??= new AbortController().signal)
  }

  warn(text: string) {
    this.#warnings.add(text)
  }

  get warnings(): readonly string[] {
    return this.#warnings.list
  }
}

async function* parsed(events: AsyncIterable<readonly ServerWatchEvent[]>): AsyncGenerator<readonly WatchEvent[]> {
  for await (const batch of events) yield batch.map(({ type, object }) => ({ type, object: object.value }))
}

function bodyOf(bytes: Uint8Array, contentType: string): Pick<ApiResponse, 'object' | 'bytes'> {
  if (contentType.startsWith('application/json')) return { object: JSON.parse(Buffer.from(bytes).toString()) }
  async function* whole() {
    yield bytes
  }
  return { bytes: whole() }
}

/** What an aggregated server may answer whole, and the longest of its events, bytes. */
const ANSWER_LIMIT = 64 << 20

/** An aggregated server's answer: JSON is read, a watch becomes events, anything else stays bytes. */
async function relayedBody(
  { received, stream }: Extract<Answer, { type: 'relayed' }>,
  isWatch: boolean,
): Promise<Pick<ApiResponse, 'object' | 'events' | 'bytes'>> {
  if (!String(received['content-type'] ?? '').startsWith('application/json')) return { bytes: stream }
  if (isWatch) return { events: eventLines(stream, ANSWER_LIMIT) }
  return { object: JSON.parse(String(await readBody(stream, ANSWER_LIMIT))) }
}

async function responseOf(answer: Answer, isWatch: boolean): Promise<Pick<ApiResponse, 'object' | 'events' | 'bytes'>> {
  switch (answer.type) {
    case 'object':
      return { object: answer.object.value }
    case 'value':
      return { object: answer.value }
    case 'list': {
      const { kind, apiVersion, metadata, items } = answer
      return { object: { kind, apiVersion, metadata, items: items.map(item => item.value) } }
    }
    case 'watch':
      return { events: parsed(answer.events) }
    case 'bytes':
      return bodyOf(answer.bytes, answer.contentType)
    case 'stream':
      return { bytes: answer.stream }
    case 'relayed':
      return relayedBody(answer, isWatch && answer.status < 400)
    case 'upgrade':
      throw new Error('an upgrade needs a connection: exec, attach and port-forward go over HTTPS')
  }
}

/** Makes a transport that acts as `user`. `handler` is the pipeline without authentication. */
export function localTransport(handler: Handler, user: UserInfo): Transport {
  return async request => {
    const local = new LocalRequest(request, user)
    const answer = await handler(local)
    return {
      status: answer.status,
      ...(await responseOf(answer, local.info.verb === 'watch')),
      ...(local.warnings.length > 0 && { warnings: local.warnings }),
    }
  }
}
