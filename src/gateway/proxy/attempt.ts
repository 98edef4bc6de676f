/**
 * When a request may be sent once more, to another endpoint. Only what the backend cannot have acted upon: it did not
 * take the connection, or it closed one that was kept, as it may at any time, and the request may be repeated anyway
 * (RFC 9110, 9.2.2). So pods that come and go cost no request.
 */

/** Times that a request is sent at most. */
export const ATTEMPTS = 3
/** A backend that does not take a connection in this time is given up, in ms. */
export const CONNECT_MS = 5_000

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
const CLOSED = new Set(['ECONNRESET', 'EPIPE'])

export interface Failure {
  readonly method: string
  readonly hasBody: boolean
  /** The connection stood. */
  readonly connected: boolean
  /** It had carried a request before. */
  readonly reused: boolean
  readonly code: string | undefined
}

/** Whether what failed before an answer began may be tried again. */
export function mayRepeat({ method, hasBody, connected, reused, code = '' }: Failure): boolean {
  if (!connected) return true
  return reused && CLOSED.has(code) && !hasBody && REPEATABLE.has(method)
}
