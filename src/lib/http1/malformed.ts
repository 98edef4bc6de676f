/** What is no HTTP/1.1, or could be taken for two things. */
export class Malformed extends Error {
  /** What a server answers to it (RFC 9110, section 15). */
  readonly status: number

  constructor(message: string, status = 400) {
    super(message)
    this.status = status
  }
}
