/** A request on its way to one endpoint, whatever protocol that speaks. */
import type { Duplex } from 'node:stream'
import type { Fields } from '../../lib/http1/head.ts'
import type { Endpoint } from '../backends/backends.ts'
import type { AnswerStart } from './visit.ts'

export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly fields: Fields
  readonly body: 'none' | 'sized' | 'unsized'
  /** It asks for a WebSocket. */
  readonly upgrade: boolean
  /** It must not be sent on a connection that may be at its end, where connections carry one request at a time. */
  readonly once: boolean
  /** On a new connection in any case. */
  readonly fresh: boolean
}

/** Why an answer does not come. */
export interface SendingFailure {
  readonly code: string | undefined
  /** The backend's system has thrown the request away as a whole: no program has read any of it. */
  readonly unread: boolean
}

/** What becomes of it. */
export interface SendingEvents {
  /** The connection stands: the body may be written. */
  connected(): void
  answered(answer: AnswerStart): void
  data(chunk: Buffer): void
  ended(trailers: Fields): void
  /** What has come up to now is all for the moment. */
  settled(): void
  /** The backend agrees to a WebSocket: the connection is the caller's. */
  upgraded(answer: AnswerStart, socket: Duplex, first: Buffer): void
  /** The backend has read what it was to be waited for. */
  drained(): void
  /** The answer does not come, or not to its end. No event comes after it. */
  failed(failure: SendingFailure): void
}

export interface Sending {
  /** A part of the body. */
  write(chunk: Buffer): void
  end(): void
  /** Sends what was written; false: the backend is to be waited for. */
  flush(): boolean
  /** Of the answer. */
  pause(): void
  resume(): void
  /** Nobody waits for the answer any more. No event comes after it. */
  destroy(): void
}

/** Begins to send, and counts as in flight until all has ended. Throws where a part of the request cannot be written, or the endpoint may not be reached. */
export type Send = (endpoint: Endpoint, outgoing: Outgoing, events: SendingEvents) => Sending

/** A backend that does not take a connection in this time is given up, in ms. */
export const CONNECT_MS = 5_000
/** One from which nothing comes this long before its answer, in ms. */
export const SILENCE_MS = 60_000

/** Giving up for want of time. */
export const tooLate = (message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code: 'ETIMEDOUT' })
