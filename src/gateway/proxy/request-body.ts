/** A request's body on its way to a backend: what is small is kept, so that it can be sent to another one. */
import type { BodyTaker } from '../../lib/http1/body.ts'
import type { Sending } from './sending.ts'
import type { Visit } from './visit.ts'

/** Bytes that are kept at most. */
const KEPT_MOST = 65_536

export class RequestBody implements BodyTaker {
  readonly #visit: Visit
  readonly #tooLarge: () => void
  #left: number
  #kept: Buffer[] | undefined = []
  #keptBytes = 0
  #taken: boolean
  #ended: boolean
  #to: Sending | undefined

  /** `most`: bytes that it may have; `tooLarge` is called where more come. */
  constructor(visit: Visit, most: number | undefined, tooLarge: () => void) {
    this.#visit = visit
    this.#left = most ?? Number.POSITIVE_INFINITY
    this.#tooLarge = tooLarge
    this.#taken = this.#ended = visit.inbound.body === 'none'
  }

  /** Whether all that has come of it can be sent once more. */
  get isKept(): boolean {
    return this.#kept !== undefined
  }

  /** Sends it on a connection that stands, from its begin. */
  passTo(sending: Sending): void {
    this.#to = sending
    for (const chunk of this.#kept ?? []) sending.write(chunk)
    if (this.#ended) sending.end()
    if (this.#taken) this.#visit.resume()
    else {
      this.#taken = true
      this.#visit.take(this)
    }
    // The head, where nothing of the body was there yet.
    if (!sending.flush()) this.#visit.pause()
  }

  /** Nobody gets it for the moment. */
  hold(): void {
    this.#to = undefined
    if (this.#taken) this.#visit.pause()
  }

  data(chunk: Buffer): void {
    this.#left -= chunk.length
    if (this.#left < 0) {
      this.#tooLarge()
      return
    }
    this.#keptBytes += chunk.length
    if (this.#keptBytes > KEPT_MOST) this.#kept = undefined
    this.#kept?.push(chunk)
    this.#to?.write(chunk)
    if (this.#to?.flush() === false) this.#visit.pause()
  }

  end(): void {
    this.#ended = true
    this.#to?.end()
    this.#to?.flush()
  }
}
