/** A request on its way to one endpoint, whatever protocol that speaks. */
import type { Readable, Writable } from 'node:stream'
import type { Endpoint } from '../backends/backends.ts'

export interface Outgoing {
  readonly method: string
  readonly path: string
  /** Names and values by turns. */
  readonly headers: readonly string[]
  readonly hasBody: boolean
  /** On a connection of its own, where connections carry one request at a time. */
  readonly fresh: boolean
}

export interface Answer {
  readonly status: number
  readonly message: string
  /** Names and values by turns, without those of one connection. */
  readonly headers: readonly string[]
  readonly body: Readable
  /** It ended with its head. In HTTP/2 that is not the same as an empty body: gRPC has its status in the head then. */
  readonly headOnly: boolean
  /** To be asked when the body has ended. */
  trailers(): Readonly<Record<string, string>> | undefined
}

/** What becomes of it. After `answered`, the answer's body tells what fails. */
export interface SendingEvents {
  /** The connection stands: the body may be written. */
  connected(body: Writable): void
  answered(answer: Answer): void
  failed(error: NodeJS.ErrnoException): void
  /** Once, at the end of all, however it ended. */
  closed(): void
}

export interface Sending {
  destroy(): void
}

/** Begins to send. Throws where a part of the request cannot be written, or the endpoint may not be reached. */
export type Send = (endpoint: Endpoint, outgoing: Outgoing, events: SendingEvents) => Sending

/** A backend that does not take a connection in this time is given up, in ms. */
export const CONNECT_MS = 5_000
/** One from which nothing comes this long before its answer, in ms. */
export const SILENCE_MS = 60_000

/** Giving up for want of time. */
export const tooLate = (message: string): NodeJS.ErrnoException =>
  Object.assign(new Error(message), { code: 'ETIMEDOUT' })
