/**
 * When a request may be sent once more, to another endpoint: when nobody can have acted on it, or when it may be
 * repeated anyway (RFC 9110, 9.2.2), and the backend closed the connection without a word. So pods that come and go
 * cost no request.
 */
import type { Endpoint } from '../backends/backends.ts'
import type { SendingFailure } from './sending.ts'

/** Times that a request is sent at most. */
export const ATTEMPTS = 3

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
const CLOSED = new Set(['ECONNRESET', 'EPIPE', 'EOF'])

/** Whether doing it twice is as good as doing it once. */
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method)

export interface Failure extends SendingFailure {
  readonly idempotent: boolean
  /** The connection stood. */
  readonly connected: boolean
}

/** Whether what failed before an answer began may be tried again. */
export const mayRepeat = ({ idempotent, connected, unread, code = '' }: Failure): boolean =>
  !connected || unread || (idempotent && CLOSED.has(code))

/** The status for a request that is not tried again. */
export const statusOfFailure = (code: string | undefined): number => (code === 'ETIMEDOUT' ? 504 : 502)

/** The status for one that cannot be sent: of characters that no request line may have, or to a host not to be reached. */
export const statusOfUnsent = ({ external }: Endpoint): number => (external ? 502 : 400)
