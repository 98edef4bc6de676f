/**
 * A SPDY/3.1 session (draft-mbelshe-httpbis-spdy-00 with 3.1's windows), as kubectl, client-go and the kubelet speak
 * it: the client opens streams, names each by its headers, and neither side sends WINDOW_UPDATE. So windows are not
 * applied when sending: the connection's own back-pressure is.
 */
import type { Link } from './link.ts'
import { createPipe, type Pipe } from './pipe.ts'
import { headerCoder } from './spdy-headers.ts'

export interface SpdyStream {
  readonly id: number
  /** Names in lower case, e.g. `streamtype`. */
  readonly headers: Readonly<Record<string, string>>
  /** What the client sends; ends when it closes its half. */
  readonly incoming: AsyncIterable<Buffer>
  /** Resolves when the connection takes more. Ignored after `end` or a reset. */
  write(chunk: Uint8Array): Promise<void>
  /** Closes our half. */
  end(): Promise<void>
  /** Drops the stream both ways. */
  reset(): void
}

export interface SpdySession {
  /** Resolves when the connection is gone. Never rejects. */
  readonly done: Promise<void>
  readonly signal: AbortSignal
  /** Sends GOAWAY and ends the connection. */
  close(): void
}

const TYPE = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const
const FLAG_FIN = 1
const PROTOCOL_ERROR = 1
const CANCEL = 5
/** What one stream may have waiting for its reader before the connection is read no further. */
const WAITING_LIMIT = 1024 * 1024
/** Larger chunks are cut: frames have 24 bits for their length. */
const MAX_DATA = 1 << 20

interface Frame {
  /** 0 is data. */
  readonly type: number
  /** Of data frames. */
  readonly id: number
  readonly flags: number
  readonly body: Buffer
}

/** A stream in the making: what the client sends, and whether we are done sending. */
interface Half {
  readonly pipe: Pipe<Buffer>
  finished: boolean
}

async function* framesOf(incoming: AsyncIterable<Buffer>): AsyncGenerator<Frame, void> {
  let pending: Buffer = Buffer.alloc(0)
  let chunks: Buffer[] = []
  let have = 0
  let need = 8
  for await (const chunk of incoming) {
    chunks.push(chunk)
    have += chunk.length
    if (have < need) continue
    pending = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    for (;;) {
      need = 8
      if (pending.length - at < 8) break
      need = 8 + pending.readUIntBE(at + 5, 3)
      if (pending.length - at < need) break
      const control = (pending[at]! & 0x80) !== 0
      yield {
        type: control ? pending.readUInt16BE(at + 2) : 0,
        id: control ? 0 : pending.readUInt32BE(at),
        flags: pending[at + 4]!,
        body: pending.subarray(at + 8, at + need),
      }
      at += need
    }
    const rest = pending.subarray(at)
    chunks = rest.length ? [rest] : []
    have = rest.length
  }
}

function frameStart(control: boolean, typeOrId: number, flags: number, length: number): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(control ? (0x80030000 | typeOrId) >>> 0 : typeOrId, 0)
  header[4] = flags
  header.writeUIntBE(length, 5, 3)
  return header
}

const uint32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, at) => {
    bytes.writeUInt32BE(value, at * 4)
  })
  return bytes
}

/** What both sides of a session have in common. `onStream` is absent where the other side may open none. */
function startSession(link: Link, onStream?: (stream: SpdyStream) => void) {
  const coder = headerCoder()
  const streams = new Map<number, Half>()
  let lastId = 0
  let announced: Promise<void> = Promise.resolve()

  const control = (type: number, body: Uint8Array, flags = 0) =>
    link.write(frameStart(true, type, flags, body.length), body)
  const reset = (id: number, code: number) => {
    streams.get(id)?.pipe.cancel()
    streams.delete(id)
    void control(TYPE.rstStream, uint32(id, code))
  }

  /** Takes note of a stream that one of the sides has opened. */
  const begin = (id: number, headers: Readonly<Record<string, string>>): { stream: SpdyStream; half: Half } => {
    const pipe = createPipe<Buffer>(WAITING_LIMIT)
    const half: Half = { pipe, finished: false }
    streams.set(id, half)
    const stream: SpdyStream = {
      id,
      headers,
      incoming: pipe,
      async write(chunk) {
        for (let at = 0; at < chunk.length && !half.finished && streams.has(id); at += MAX_DATA) {
          const part = chunk.subarray(at, at + MAX_DATA)
          await link.write(frameStart(false, id, 0, part.length), part)
        }
      },
      async end() {
        if (half.finished || !streams.has(id)) return
        half.finished = true
        if (pipe.ended) streams.delete(id)
        await link.write(frameStart(false, id, FLAG_FIN, 0))
      },
      reset: () => reset(id, CANCEL),
    }
    return { stream, half }
  }

  const opened = async (body: Buffer, flags: number) => {
    const id = body.readUInt32BE(0) & 0x7fffffff
    const headers = await coder.decode(body.subarray(10))
    if (!onStream || id <= lastId || id % 2 === 0) return reset(id, PROTOCOL_ERROR)
    lastId = id
    const { stream, half } = begin(id, headers)
    if (flags & FLAG_FIN) half.pipe.end()
    const reply = await coder.encode({})
    await control(TYPE.synReply, Buffer.concat([uint32(id), reply]))
    try {
      onStream(stream)
    } catch {
      reset(id, PROTOCOL_ERROR)
    }
  }

  const take = async ({ type, id, flags, body }: Frame): Promise<boolean> => {
    if (type === 0) {
      const half = streams.get(id)
      if (body.length) await half?.pipe.push(Buffer.from(body))
      if (flags & FLAG_FIN) {
        half?.pipe.end()
        if (half?.finished) streams.delete(id)
      }
    } else if (type === TYPE.synStream) await opened(body, flags)
    else if (type === TYPE.headers || type === TYPE.synReply) await coder.decode(body.subarray(4))
    else if (type === TYPE.ping) await control(TYPE.ping, body)
    else if (type === TYPE.rstStream) {
      const gone = body.readUInt32BE(0) & 0x7fffffff
      streams.get(gone)?.pipe.cancel()
      streams.delete(gone)
    } else if (type === TYPE.goAway) return streams.size > 0
    return true
  }

  const run = async () => {
    try {
      for await (const frame of framesOf(link.incoming)) if (!(await take(frame))) break
    } catch {
      // A client that breaks the protocol, or went away in the middle of a frame: the session is over.
    } finally {
      for (const { pipe } of streams.values()) pipe.end()
      streams.clear()
      coder.close()
      link.close()
    }
  }
  const session: SpdySession = {
    done: run(),
    signal: link.signal,
    close() {
      void control(TYPE.goAway, uint32(lastId, 0))
      link.close()
    },
  }
  return {
    session,
    /** Opens a stream; only a client may. */
    open(headers: Readonly<Record<string, string>>): SpdyStream {
      lastId = lastId ? lastId + 2 : 1
      const id = lastId
      const { stream } = begin(id, headers)
      // Blocks go out in the order in which they were made, and before any data of a stream that is open by then: a server
      // may begin to read only when it has all the streams that it waits for.
      announced = announced.then(async () => {
        const block = await coder.encode(headers)
        await control(TYPE.synStream, Buffer.concat([uint32(id, 0), Buffer.alloc(2), block]))
      })
      return {
        ...stream,
        write: chunk => announced.then(() => stream.write(chunk)),
        end: () => announced.then(() => stream.end()),
      }
    },
  }
}

/**
 * Serves a session over a link. `onStream` is called for every stream that the client opens, before its first data;
 * streams are accepted by it returning, and refused by it throwing.
 */
export const serveSpdy = (link: Link, onStream: (stream: SpdyStream) => void): SpdySession =>
  startSession(link, onStream).session

export interface SpdyClient extends SpdySession {
  /** Opens a stream with these headers. What the server refuses ends without a byte. */
  open(headers: Readonly<Record<string, string>>): SpdyStream
}

/** The client's side of a session over a link. */
export function openSpdy(link: Link): SpdyClient {
  const { session, open } = startSession(link)
  return { ...session, open }
}
