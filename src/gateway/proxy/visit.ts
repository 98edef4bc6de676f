/** A client's request and the answer to it, whatever protocol the client speaks. */
import type { Duplex } from 'node:stream'
import type { BodyTaker } from '../../lib/http1/body.ts'
import type { Fields } from '../../lib/http1/head.ts'
import type { Inbound } from './inbound.ts'

/** How an answer begins. */
export interface AnswerStart {
  readonly status: number
  /** The words after it, which HTTP/2 does not have. */
  readonly reason: string
  /** Without those of one connection. */
  readonly fields: Fields
  /** Of the length that a field says, or of unknown length. `none`: nothing comes after the head. */
  readonly body: 'none' | 'sized' | 'unsized'
}

/** What becomes of a visit, for who answers it. */
export interface VisitEvents {
  /** The client has read what it was to be waited for. */
  drained(): void
  /** The client broke off, or did not send what it was to: nobody is left to answer. */
  gone(): void
  /** Once, at the end of all. */
  closed(): void
}

export interface Visit {
  readonly inbound: Inbound
  /** The status of the answer, once it has begun. */
  readonly status: number | undefined
  /** To be set by who answers. */
  events: Partial<VisitEvents>
  /** Has the body of the request read. Until then it waits at the client. */
  take(taker: BodyTaker): void
  pause(): void
  resume(): void
  begin(answer: AnswerStart): void
  write(chunk: Buffer): void
  end(trailers: Fields): void
  /** Sends what was written; false: the client is to be waited for. */
  flush(): boolean
  /** Ends an answer that has begun so that the client does not take the half for the whole. */
  cut(): void
  /** Agrees to a WebSocket: bytes are passed both ways from now on. */
  join(answer: AnswerStart, backend: Duplex, first: Buffer): void
}
