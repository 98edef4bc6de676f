/** Frames of HTTP/2 (RFC 9113, sections 4 and 6). */

export const FRAME_HEAD = 9

export const DATA = 0
export const HEADERS = 1
export const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

/** Flags. ACK and END_STREAM are the same bit, of different frames. */
export const ACK = 0x1
export const END_STREAM = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const WITH_PRIORITY = 0x20

export const HEADER_TABLE_SIZE = 1
export const ENABLE_PUSH = 2
export const MAX_CONCURRENT_STREAMS = 3
export const INITIAL_WINDOW_SIZE = 4
export const MAX_FRAME_SIZE = 5
export const MAX_HEADER_LIST_SIZE = 6

/** Largest window, and what windows and frames are until something else was said. */
export const MAX_WINDOW = 2 ** 31 - 1
export const DEFAULT_WINDOW = 65_535
export const DEFAULT_FRAME = 16_384

/** What a client says first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Writes the head of a frame at `at`. */
export function writeHead(target: Buffer, at: number, length: number, type: number, flags: number, stream: number) {
  target[at] = length >>> 16
  target[at + 1] = (length >>> 8) & 0xff
  target[at + 2] = length & 0xff
  target[at + 3] = type
  target[at + 4] = flags
  target[at + 5] = (stream >>> 24) & 0x7f
  target[at + 6] = (stream >>> 16) & 0xff
  target[at + 7] = (stream >>> 8) & 0xff
  target[at + 8] = stream & 0xff
}
