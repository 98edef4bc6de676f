/**
 * The server's side of a WebSocket (RFC 6455), without extensions. Our own, because kubectl's subprotocol
 * `SPDY/3.1+portforward.k8s.io` has a `/`, which is no token character, and WebSocket libraries refuse it.
 */
import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type Link, socketLink } from './link.ts'

export interface WebSocketMessage {
  readonly text: boolean
  readonly data: Buffer
}

export interface WebSocketConnection {
  /** Whole messages, in order; pings are answered on the way. Ends with the connection. To be read once. */
  readonly messages: AsyncIterable<WebSocketMessage>
  /** Sends one message; resolves when the connection takes more. The chunks are its parts. */
  send(text: boolean, ...chunks: readonly Uint8Array[]): Promise<void>
  /** Says goodbye and ends the connection. 1000: all went well. */
  close(code?: number): void
  readonly signal: AbortSignal
}

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
/** Longer messages end the connection with 1009: clients send at most some tens of KB at once. */
const MAX_MESSAGE = 32 * 1024 * 1024

/** The value of Sec-WebSocket-Accept for a client's Sec-WebSocket-Key. */
const acceptKey = (key: string) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

function frameHeader(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode
  if (length < 126) return Buffer.of(first, length)
  if (length < 65536) return Buffer.of(first, 126, length >>> 8, length & 0xff)
  const header = Buffer.alloc(10)
  header[0] = first
  header[1] = 127
  header.writeUIntBE(length, 4, 6)
  return header
}

interface Frame {
  readonly final: boolean
  readonly opcode: number
  readonly payload: Buffer
}

class ProtocolError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Reads exactly as many bytes as asked for; undefined at the end. */
function byteReader(incoming: AsyncIterable<Buffer>) {
  const source = incoming[Symbol.asyncIterator]()
  let chunks: Buffer[] = []
  let available = 0
  return async (length: number): Promise<Buffer | undefined> => {
    while (available < length) {
      const next = await source.next()
      if (next.done) return undefined
      chunks.push(next.value)
      available += next.value.length
    }
    const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    const rest = all.subarray(length)
    chunks = rest.length ? [rest] : []
    available = rest.length
    return all.subarray(0, length)
  }
}

async function* framesOf(incoming: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  const read = byteReader(incoming)
  for (;;) {
    const start = await read(2)
    if (!start) return
    const [first, second] = [start[0]!, start[1]!]
    if (first & 0x70) throw new ProtocolError(1002, 'reserved bits are set')
    if (!(second & 0x80)) throw new ProtocolError(1002, 'client frames must be masked')
    let length = second & 0x7f
    if (length >= 126) {
      const bytes = await read(length === 126 ? 2 : 8)
      if (!bytes) return
      length = bytes.length === 2 ? bytes.readUInt16BE() : bytes.readUInt32BE() * 2 ** 32 + bytes.readUInt32BE(4)
    }
    if (length > MAX_MESSAGE) throw new ProtocolError(1009, 'message is too big')
    const mask = await read(4)
    const masked = length ? await read(length) : Buffer.alloc(0)
    if (!mask || !masked) return
    const payload = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at++) payload[at] = masked[at]! ^ mask[at & 3]!
    yield { final: (first & 0x80) !== 0, opcode: first & 0xf, payload }
  }
}

/** Serves a WebSocket over a link whose handshake is done. */
function serve(link: Link): WebSocketConnection {
  let closed = false
  const sendFrame = (opcode: number, ...chunks: readonly Uint8Array[]) => {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    return closed ? Promise.resolve() : link.write(frameHeader(opcode, length), ...chunks)
  }
  const close = (code = 1000) => {
    if (closed) return
    void sendFrame(OPCODE.close, Buffer.of(code >>> 8, code & 0xff))
    closed = true
    link.close()
  }
  async function* messages(): AsyncGenerator<WebSocketMessage, void> {
    let parts: Buffer[] = []
    let size = 0
    let text = false
    try {
      for await (const { final, opcode, payload } of framesOf(link.incoming)) {
        if (opcode === OPCODE.ping) await sendFrame(OPCODE.pong, payload)
        else if (opcode === OPCODE.close) return close()
        else if (opcode <= OPCODE.binary) {
          if (opcode !== OPCODE.continuation) text = opcode === OPCODE.text
          else if (parts.length === 0) throw new ProtocolError(1002, 'continuation of nothing')
          parts.push(payload)
          size += payload.length
          if (size > MAX_MESSAGE) throw new ProtocolError(1009, 'message is too big')
          if (!final) continue
          const data = parts.length === 1 ? payload : Buffer.concat(parts)
          parts = []
          size = 0
          yield { text, data }
        }
      }
    } catch (error) {
      close(error instanceof ProtocolError ? error.code : 1011)
    }
  }
  return {
    messages: messages(),
    send: (text, ...chunks) => sendFrame(text ? OPCODE.text : OPCODE.binary, ...chunks),
    close,
    signal: link.signal,
  }
}

/**
 * Answers an upgrade request with 101 and gives the connection. `protocol` is the subprotocol that was chosen;
 * '' when the client named none.
 */
export function acceptWebSocket(socket: Duplex, head: Buffer, key: string, protocol: string): WebSocketConnection {
  const chosen = protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n${chosen}\r\n`,
  )
  return serve(socketLink(socket, head))
}

/** The binary messages of a WebSocket as one stream of bytes. */
export function webSocketLink(connection: WebSocketConnection): Link {
  async function* incoming() {
    for await (const { data } of connection.messages) yield data
  }
  return {
    incoming: incoming(),
    write: (...chunks) => connection.send(false, ...chunks),
    close: () => connection.close(),
    signal: connection.signal,
  }
}
