/**
 * One request to a backend and its answer: both bodies are passed on as they come, and who reads slowly makes the other
 * side wait.
 */
import type { Backends, Endpoint } from '../backends/backends.ts'
import type { Target } from '../routing/route.ts'
import { refuse } from './answer.ts'
import { ATTEMPTS, isIdempotent, mayRepeat, statusOfFailure, statusOfUnsent } from './attempt.ts'
import { toBackend } from './headers.ts'
import type { Origin } from './origin.ts'
import { RequestBody } from './request-body.ts'
import type { Outgoing, Send, Sending, SendingEvents, SendingFailure } from './sending.ts'
import type { Visit } from './visit.ts'

export interface ExchangeDeps {
  readonly backends: Backends
  /** For endpoints of either protocol. */
  readonly http1: Send
  readonly http2: Send
}

/** It is told by one sending at a time: the one before has failed. */
class Exchange implements SendingEvents {
  readonly #visit: Visit
  readonly #target: Target
  readonly #deps: ExchangeDeps
  readonly #idempotent: boolean
  readonly #body: RequestBody
  readonly #request: Omit<Outgoing, 'fresh'>
  readonly #tried: Endpoint[] = []
  #sending: Sending | undefined
  #connected = false
  #gone = false

  constructor(visit: Visit, { target, bodyBytes, origin }: Way, deps: ExchangeDeps) {
    const { inbound } = visit
    const { method, body, upgrade } = inbound
    this.#visit = visit
    this.#target = target
    this.#body = new RequestBody(visit, bodyBytes, () => this.#tooLarge())
    this.#deps = deps
    this.#idempotent = isIdempotent(method)
    const once = !this.#idempotent || body !== 'none'
    this.#request = { method, path: inbound.target, fields: toBackend(inbound, origin), body, upgrade, once }
    visit.events.drained = () => this.#sending?.resume()
    visit.events.gone = () => {
      this.#gone = true
      this.#sending?.destroy()
    }
  }

  attempt(): void {
    const endpoint = this.#deps.backends.pick(this.#target, this.#tried)
    if (!endpoint) {
      refuse(this.#visit, 503)
      return
    }
    this.#tried.push(endpoint)
    this.#connected = false
    this.#sending = undefined
    const send = endpoint.protocol === 'h2c' ? this.#deps.http2 : this.#deps.http1
    const fresh = this.#request.upgrade || this.#tried.length === ATTEMPTS
    try {
      this.#sending = send(endpoint, { ...this.#request, fresh }, this)
      // On a connection that stood, all was said before there was something to hold on to.
      if (this.#connected) this.#body.passTo(this.#sending)
    } catch {
      refuse(this.#visit, statusOfUnsent(endpoint))
    }
  }

  /** More came of the body than may: the backend sees that it is cut. */
  #tooLarge() {
    if (this.#gone) return
    this.#gone = true
    this.#sending?.destroy()
    if (this.#visit.status === undefined) refuse(this.#visit, 413)
    else this.#visit.cut()
  }

  connected() {
    this.#connected = true
    if (this.#sending) this.#body.passTo(this.#sending)
  }

  answered(answer: Parameters<SendingEvents['answered']>[0]) {
    this.#visit.begin(answer)
  }

  data(chunk: Buffer) {
    this.#visit.write(chunk)
  }

  ended(trailers: readonly string[]) {
    this.#visit.end(trailers)
  }

  settled() {
    if (!this.#visit.flush()) this.#sending?.pause()
  }

  upgraded(...agreed: Parameters<SendingEvents['upgraded']>) {
    this.#visit.join(...agreed)
  }

  drained() {
    this.#visit.resume()
  }

  failed(failure: SendingFailure) {
    if (this.#gone) return
    if (this.#visit.status !== undefined) return this.#visit.cut()
    const [idempotent, connected] = [this.#idempotent, this.#connected]
    const mayTry = this.#tried.length < ATTEMPTS && this.#body.isKept
    if (mayTry && mayRepeat({ ...failure, idempotent, connected })) {
      this.#body.hold()
      return this.attempt()
    }
    refuse(this.#visit, statusOfFailure(failure.code))
  }
}

/** Where a request goes, and what it may hold. */
export interface Way {
  readonly target: Target
  /** Of its body. */
  readonly bodyBytes: number | undefined
  /** Of the request. */
  readonly origin: Origin
}

/** Carries a request to one of the target's endpoints. The answer is always ended, by whoever it comes from. */
export function exchange(visit: Visit, way: Way, deps: ExchangeDeps): void {
  if (visit.inbound.length > (way.bodyBytes ?? Number.POSITIVE_INFINITY)) refuse(visit, 413)
  else new Exchange(visit, way, deps).attempt()
}
