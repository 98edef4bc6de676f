/**
 * When a request may be sent once more, to another endpoint: when the backend did not take the connection, so nothing
 * was sent; or when it closed the connection without a word, as it may at any time, and the request may be repeated
 * anyway (RFC 9110, 9.2.2). What may not be repeated goes over a connection of its own, on which nobody closes but who
 * breaks off. So pods that come and go cost no request.
 */
import type { Endpoint } from '../backends/backends.ts'

/** Times that a request is sent at most. */
export const ATTEMPTS = 3

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
const CLOSED = new Set(['ECONNRESET', 'EPIPE'])

/** Whether a request can be sent twice: its body would be gone. */
export const isRepeatable = (method: string, hasBody: boolean): boolean => !hasBody && REPEATABLE.has(method)

export interface Failure {
  readonly repeatable: boolean
  /** The connection stood. */
  readonly connected: boolean
  readonly code: string | undefined
}

/** Whether what failed before an answer began may be tried again. */
export const mayRepeat = ({ repeatable, connected, code = '' }: Failure): boolean =>
  !connected || (repeatable && CLOSED.has(code))

/** The status for a request that is not tried again. */
export const statusOfFailure = (code: string | undefined): number => (code === 'ETIMEDOUT' ? 504 : 502)

/** The status for one that cannot be sent: of characters that no request line may have, or to a host not to be reached. */
export const statusOfUnsent = ({ external }: Endpoint): number => (external ? 502 : 400)
