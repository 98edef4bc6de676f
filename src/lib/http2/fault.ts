/** Error codes of HTTP/2 (RFC 9113, section 7). */
export const NO_ERROR = 0
export const PROTOCOL_ERROR = 1
export const INTERNAL_ERROR = 2
export const FLOW_CONTROL_ERROR = 3
export const STREAM_CLOSED = 5
export const FRAME_SIZE_ERROR = 6
export const REFUSED_STREAM = 7
export const CANCEL = 8
export const COMPRESSION_ERROR = 9
export const ENHANCE_YOUR_CALM = 11

/** What the other end did ends the connection. */
export class ConnectionFault extends Error {
  /** One of the codes above. */
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
