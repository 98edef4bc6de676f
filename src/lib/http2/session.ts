/**
 * The server's end of a connection that speaks HTTP/2 (RFC 9113): frames in, streams out. Pushes and priorities are not
 * for servers of APIs. What a client may do that costs more than it brings is counted and ends the connection.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../clock.ts'
import { endGently } from '../linger.ts'
import { type TokenBucket, tokenBucket } from '../token-bucket.ts'
import { HeaderDecoder } from './decode-headers.ts'
import { HeaderEncoder } from './encode-headers.ts'
import {
  ConnectionFault,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from './fault.ts'
import * as frame from './frame.ts'
import { createOutput } from './output.ts'
import { requestHeaders } from './request-headers.ts'
import { type AnswerHeaders, type Carrier, RequestAborted, ServerStream } from './stream.ts'

export interface SessionDeps {
  readonly clock: Clock
  /** A request has come, its body perhaps not. */
  onStream(stream: ServerStream): void
  /** The connection is over. */
  onClose(): void
  /** A connection without a stream is closed after so many ms. */
  readonly idleMs: number
}

export interface Session {
  /** Takes no further stream, and ends when those that are open have. */
  close(): void
  /** Breaks everything off. */
  destroy(): void
}

const MAX_STREAMS = 1000
/** How much a client may send on a stream, and on all of them, before it was read. */
const STREAM_WINDOW = 1 << 20
const CONNECTION_WINDOW = 1 << 22
/** Bytes of headers as the standard counts them, and of a block as it is sent. */
const HEADER_LIMIT = 65_535
const BLOCK_LIMIT = 2 * HEADER_LIMIT
/** Bytes that one stream sends before it is another's turn. */
const TURN = 64 * 1024
/** Frames as large as this are sent where the client takes them. */
const LARGEST_FRAME = 32 * 1024
/** A client that does not read what it asks for is cut off. */
const WAITING_LIMIT = 8 << 20

/** Makes the session of a socket on which nothing was read yet. */
export function createSession(socket: Duplex, deps: SessionDeps): Session {
  const { clock } = deps
  const decoder = new HeaderDecoder()
  const encoder = new HeaderEncoder()
  const streams = new Map<number, ServerStream>()
  /** Streams that have something to send and cannot. */
  const blocked = new Set<ServerStream>()
  const output = createOutput(socket, unblock)
  // As nghttp2 has it; what else costs no stream may come more often.
  const resets = tokenBucket({ everyMs: 1000 / 33, burst: 1000 }, clock.elapsed())
  const controls = tokenBucket({ everyMs: 1, burst: 10_000 }, clock.elapsed())
  let rest: Buffer | undefined
  let isGreeted = false
  let isSettled = false
  let lastStream = 0
  let sendWindow = frame.DEFAULT_WINDOW
  let receiveWindow = CONNECTION_WINDOW
  let credit = 0
  let initialWindow = frame.DEFAULT_WINDOW
  let frameLimit = frame.DEFAULT_FRAME
  let isClosing = false
  let isOver = false
  /** A block of headers that is not complete. */
  let block:
    | { readonly stream: number; readonly isWhole: boolean; readonly parts: Buffer[]; length: number }
    | undefined
  let idleSince = clock.elapsed()
  let idle: Timer | undefined

  const four = Buffer.alloc(4)
  function sendNumber(type: number, stream: number, value: number) {
    four.writeUInt32BE(value)
    output.frame(type, 0, stream, four)
  }

  function spend(bucket: TokenBucket, what: string) {
    if (!bucket.take(clock.elapsed())) throw new ConnectionFault(ENHANCE_YOUR_CALM, `too many ${what}`)
  }

  const carrier: Carrier = {
    head(stream, status, headers, end) {
      sendHead(stream.id, status, headers, end)
    },
    send(stream) {
      if (blocked.has(stream)) return
      if (!pump(stream, Number.POSITIVE_INFINITY)) blocked.add(stream)
    },
    consumed(stream, bytes) {
      giveBack(bytes)
      if (stream.remoteEnded || stream.closed) return
      stream.credit += bytes
      if (stream.credit < STREAM_WINDOW / 2) return
      sendNumber(frame.WINDOW_UPDATE, stream.id, stream.credit)
      stream.receiveWindow += stream.credit
      stream.credit = 0
    },
    reset: resetStream,
    closed(stream) {
      streams.delete(stream.id)
      blocked.delete(stream)
      if (streams.size > 0 || isOver) return
      if (isClosing) end()
      else waitIdle()
    },
  }

  function sendHead(id: number, status: number, headers: AnswerHeaders, end: boolean) {
    const bytes = encoder.encode(status, headers)
    const flags = end ? frame.END_STREAM : 0
    if (bytes.length <= frame.DEFAULT_FRAME) {
      output.frame(frame.HEADERS, flags | frame.END_HEADERS, id, bytes)
      return
    }
    for (let at = 0; at < bytes.length; at += frame.DEFAULT_FRAME) {
      const to = Math.min(at + frame.DEFAULT_FRAME, bytes.length)
      const last = to === bytes.length ? frame.END_HEADERS : 0
      if (at === 0) output.frame(frame.HEADERS, flags | last, id, bytes, at, to)
      else output.frame(frame.CONTINUATION, last, id, bytes, at, to)
    }
  }

  /** Sends up to `turn` bytes of what a stream has. True when nothing is left. */
  function pump(stream: ServerStream, turn: number): boolean {
    const { pending } = stream
    let left = turn
    while (pending.length > 0) {
      const { chunk, taken } = pending[0]!
      const isLast = stream.ended && pending.length === 1
      const rest = chunk.length - stream.offset
      if (rest > 0 && (output.isFull() || left <= 0)) return false
      const length = Math.min(rest, frameLimit, sendWindow, stream.sendWindow)
      if (length <= 0 && rest > 0) return false
      const to = stream.offset + length
      const isEnd = isLast && to === chunk.length
      output.largeFrame(frame.DATA, isEnd ? frame.END_STREAM : 0, stream.id, chunk, stream.offset, to)
      sendWindow -= length
      stream.sendWindow -= length
      left -= length
      stream.offset = to
      if (to < chunk.length) continue
      pending.shift()
      stream.offset = 0
      if (taken) output.released(taken)
    }
    stream.sent()
    return true
  }

  /** Lets those that wait go on, in turns. */
  function unblock() {
    while (blocked.size > 0 && sendWindow > 0 && !output.isFull()) {
      let sent = 0
      for (const stream of [...blocked]) {
        const before = sendWindow
        if (stream.closed || pump(stream, TURN)) blocked.delete(stream)
        sent += before - sendWindow
      }
      if (sent === 0) return
    }
  }

  /** Bytes of bodies are out of the way: the client may send as many others. */
  function giveBack(bytes: number) {
    credit += bytes
    if (credit < CONNECTION_WINDOW / 2 || isOver) return
    sendNumber(frame.WINDOW_UPDATE, 0, credit)
    receiveWindow += credit
    credit = 0
  }

  function resetStream(stream: ServerStream, code: number) {
    sendNumber(frame.RST_STREAM, stream.id, code)
    stream.close(new RequestAborted('the stream was broken off'))
  }

  function waitIdle() {
    idleSince = clock.elapsed()
    idle ??= clock.after(deps.idleMs, lookIdle)
  }
  function lookIdle() {
    idle = undefined
    if (streams.size > 0 || isOver) return
    const left = idleSince + deps.idleMs - clock.elapsed()
    if (left > 0) idle = clock.after(left, lookIdle)
    else close()
  }

  function goAway(code: number) {
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(lastStream, 0)
    payload.writeUInt32BE(code, 4)
    output.frame(frame.GOAWAY, 0, 0, payload)
    output.flush()
  }
  function close() {
    if (isClosing || isOver) return
    isClosing = true
    goAway(NO_ERROR)
    if (streams.size === 0) end()
  }
  function end() {
    if (isOver) return
    output.flush()
    over()
    // What still comes is read and thrown away: unread, it would take what was said last away from the client.
    endGently(socket, clock)
  }
  function destroy() {
    over()
    socket.destroy()
  }
  function over() {
    if (isOver) return
    isOver = true
    idle?.cancel()
    for (const stream of [...streams.values()]) stream.close(new RequestAborted('the connection was lost'))
    deps.onClose()
  }

  function onData(chunk: Buffer) {
    if (isOver) return
    try {
      let bytes = rest ? Buffer.concat([rest, chunk]) : chunk
      rest = undefined
      if (!isGreeted) {
        const { length } = frame.PREFACE
        const begun = Math.min(length, bytes.length)
        if (bytes.compare(frame.PREFACE, 0, begun, 0, begun) !== 0) return socket.destroy()
        if (bytes.length < length) {
          rest = bytes
          return
        }
        isGreeted = true
        bytes = bytes.subarray(length)
      }
      const at = readFrames(bytes)
      if (at < bytes.length && !isOver) rest = at === 0 ? bytes : bytes.subarray(at)
      if (output.waiting() > WAITING_LIMIT) throw new ConnectionFault(ENHANCE_YOUR_CALM, 'the client does not read')
    } catch (error) {
      if (!(error instanceof ConnectionFault)) throw error
      goAway(error.code)
      end()
    }
  }

  /** Reads whole frames; gives where the first that is not begins. */
  function readFrames(bytes: Buffer): number {
    let at = 0
    while (at + frame.FRAME_HEAD <= bytes.length && !isOver) {
      const length = bytes.readUIntBE(at, 3)
      if (length > frame.DEFAULT_FRAME) throw new ConnectionFault(FRAME_SIZE_ERROR, `a frame of ${length} bytes`)
      const start = at + frame.FRAME_HEAD
      const next = start + length
      if (next > bytes.length) break
      onFrame(
        bytes[at + 3]!,
        bytes[at + 4]!,
        bytes.readUInt32BE(at + 5) & frame.MAX_WINDOW,
        bytes.subarray(start, next),
      )
      at = next
    }
    return at
  }

  function onFrame(type: number, flags: number, id: number, payload: Buffer) {
    if (!isSettled && type !== frame.SETTINGS) throw new ConnectionFault(PROTOCOL_ERROR, 'settings must come first')
    if (block && (type !== frame.CONTINUATION || id !== block.stream)) {
      throw new ConnectionFault(PROTOCOL_ERROR, 'a block of headers was left unfinished')
    }
    switch (type) {
      case frame.DATA:
        return onDataFrame(flags, id, payload)
      case frame.HEADERS:
        return onHeaders(flags, id, payload)
      case frame.CONTINUATION:
        return onContinuation(flags, payload)
      case frame.RST_STREAM:
        return onReset(id, payload)
      case frame.SETTINGS:
        return onSettings(flags, id, payload)
      case frame.PING:
        return onPing(flags, id, payload)
      case frame.WINDOW_UPDATE:
        return onWindowUpdate(id, payload)
      case frame.PUSH_PROMISE:
        throw new ConnectionFault(PROTOCOL_ERROR, 'clients do not push')
      case frame.GOAWAY:
        if (id !== 0) throw new ConnectionFault(PROTOCOL_ERROR, 'going away with a stream')
        break
      case frame.PRIORITY:
        if (id === 0) throw new ConnectionFault(PROTOCOL_ERROR, 'a priority of no stream')
        if (payload.length !== 5) throw new ConnectionFault(FRAME_SIZE_ERROR, 'a priority is 5 bytes')
    }
    spend(controls, 'frames that ask for nothing')
  }

  /** A payload without its padding. */
  function unpadded(flags: number, payload: Buffer): Buffer {
    if (!(flags & frame.PADDED)) return payload
    const padding = payload[0] ?? payload.length
    if (padding >= payload.length) throw new ConnectionFault(PROTOCOL_ERROR, 'more padding than there is frame')
    return payload.subarray(1, payload.length - padding)
  }

  function isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > lastStream
  }

  function onDataFrame(flags: number, id: number, payload: Buffer) {
    if (isIdle(id)) throw new ConnectionFault(PROTOCOL_ERROR, 'data of no stream')
    const { length } = payload
    receiveWindow -= length
    if (receiveWindow < 0) throw new ConnectionFault(FLOW_CONTROL_ERROR, 'more data than there is room for')
    const stream = streams.get(id)
    const data = unpadded(flags, payload)
    const isEnd = (flags & frame.END_STREAM) !== 0
    if (data.length === 0 && !isEnd) spend(controls, 'frames of nothing')
    // One that we have broken off: the client did not know yet.
    if (!stream) return giveBack(length)
    if (stream.remoteEnded) {
      giveBack(length)
      return resetStream(stream, STREAM_CLOSED)
    }
    stream.receiveWindow -= length
    if (stream.receiveWindow < 0) {
      giveBack(length)
      return resetStream(stream, FLOW_CONTROL_ERROR)
    }
    // Padding was never anybody's.
    if (data.length < length) carrier.consumed(stream, length - data.length)
    if (data.length > 0 && !stream.receive(data)) return resetStream(stream, PROTOCOL_ERROR)
    if (isEnd && !stream.closed) endRemote(stream)
  }

  function endRemote(stream: ServerStream) {
    if (!stream.receiveEnd()) resetStream(stream, PROTOCOL_ERROR)
  }

  function onHeaders(flags: number, id: number, payload: Buffer) {
    if (id % 2 === 0) throw new ConnectionFault(PROTOCOL_ERROR, 'headers of no stream of a client')
    let bytes = unpadded(flags, payload)
    if (flags & frame.WITH_PRIORITY) {
      if (bytes.length < 5) throw new ConnectionFault(FRAME_SIZE_ERROR, 'a priority is 5 bytes')
      bytes = bytes.subarray(5)
    }
    const isWhole = (flags & frame.END_STREAM) !== 0
    if (flags & frame.END_HEADERS) onBlock(id, isWhole, bytes)
    else block = { stream: id, isWhole, parts: [bytes], length: bytes.length }
  }

  function onContinuation(flags: number, payload: Buffer) {
    if (!block) throw new ConnectionFault(PROTOCOL_ERROR, 'a continuation of nothing')
    const { stream, isWhole, parts } = block
    parts.push(payload)
    block.length += payload.length
    if (block.length > BLOCK_LIMIT) throw new ConnectionFault(ENHANCE_YOUR_CALM, 'headers without end')
    spend(controls, 'continuations')
    if (!(flags & frame.END_HEADERS)) return
    block = undefined
    onBlock(stream, isWhole, Buffer.concat(parts))
  }

  function onBlock(id: number, isWhole: boolean, bytes: Buffer) {
    const rawHeaders = decoder.decode(bytes, HEADER_LIMIT)
    const open = streams.get(id)
    if (open) return onTrailers(open, isWhole)
    if (id <= lastStream) return spend(controls, 'headers of streams that are over')
    lastStream = id
    if (isClosing || streams.size >= MAX_STREAMS) {
      spend(resets, 'streams that are refused')
      return sendNumber(frame.RST_STREAM, id, REFUSED_STREAM)
    }
    if (!rawHeaders) return refuse(id, isWhole)
    const headers = requestHeaders(rawHeaders)
    const windows = { send: initialWindow, receive: STREAM_WINDOW }
    const stream = headers && new ServerStream(carrier, id, { headers, rawHeaders, isWhole }, windows)
    if (!stream || stream.contradicts) {
      spend(resets, 'requests that are none')
      return sendNumber(frame.RST_STREAM, id, PROTOCOL_ERROR)
    }
    streams.set(id, stream)
    deps.onStream(stream)
  }

  function onTrailers(stream: ServerStream, isWhole: boolean) {
    if (stream.remoteEnded) return resetStream(stream, STREAM_CLOSED)
    if (!isWhole) return resetStream(stream, PROTOCOL_ERROR)
    endRemote(stream)
  }

  /** Too many headers: RFC 6585. */
  function refuse(id: number, isWhole: boolean) {
    spend(resets, 'requests with too many headers')
    sendHead(id, 431, {}, true)
    if (!isWhole) sendNumber(frame.RST_STREAM, id, NO_ERROR)
  }

  function onReset(id: number, payload: Buffer) {
    if (payload.length !== 4) throw new ConnectionFault(FRAME_SIZE_ERROR, 'a reset is 4 bytes')
    if (isIdle(id)) throw new ConnectionFault(PROTOCOL_ERROR, 'a reset of no stream')
    spend(resets, 'streams that are broken off')
    streams.get(id)?.close(new RequestAborted('the client went away before its request was complete'))
  }

  function onSettings(flags: number, id: number, payload: Buffer) {
    if (id !== 0) throw new ConnectionFault(PROTOCOL_ERROR, 'settings of a stream')
    if (flags & frame.ACK) {
      if (payload.length > 0) throw new ConnectionFault(FRAME_SIZE_ERROR, 'a confirmation of settings is empty')
      return spend(controls, 'confirmations')
    }
    if (payload.length % 6 !== 0) throw new ConnectionFault(FRAME_SIZE_ERROR, 'settings are 6 bytes each')
    isSettled = true
    spend(controls, 'settings')
    for (let at = 0; at < payload.length; at += 6) set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
    output.frame(frame.SETTINGS, frame.ACK, 0, payload, 0, 0)
    // Windows may have grown: what waited for that follows the confirmation.
    unblock()
  }

  function set(setting: number, value: number) {
    if (setting === frame.HEADER_TABLE_SIZE) encoder.limit(value)
    else if (setting === frame.ENABLE_PUSH) {
      if (value > 1) throw new ConnectionFault(PROTOCOL_ERROR, 'pushes are on or off')
    } else if (setting === frame.MAX_FRAME_SIZE) {
      if (value < frame.DEFAULT_FRAME || value > 0xffffff) throw new ConnectionFault(PROTOCOL_ERROR, 'a bad frame size')
      frameLimit = Math.min(value, LARGEST_FRAME)
    } else if (setting === frame.INITIAL_WINDOW_SIZE) {
      if (value > frame.MAX_WINDOW) throw new ConnectionFault(FLOW_CONTROL_ERROR, 'a window that is too large')
      for (const stream of streams.values()) {
        stream.sendWindow += value - initialWindow
        if (stream.sendWindow > frame.MAX_WINDOW) throw new ConnectionFault(FLOW_CONTROL_ERROR, 'a window overflows')
      }
      initialWindow = value
    }
  }

  function onPing(flags: number, id: number, payload: Buffer) {
    if (id !== 0) throw new ConnectionFault(PROTOCOL_ERROR, 'a ping of a stream')
    if (payload.length !== 8) throw new ConnectionFault(FRAME_SIZE_ERROR, 'a ping is 8 bytes')
    spend(controls, 'pings')
    if (!(flags & frame.ACK)) output.frame(frame.PING, frame.ACK, 0, payload)
  }

  function onWindowUpdate(id: number, payload: Buffer) {
    if (payload.length !== 4) throw new ConnectionFault(FRAME_SIZE_ERROR, 'an update of a window is 4 bytes')
    const more = payload.readUInt32BE(0) & frame.MAX_WINDOW
    if (id === 0) {
      sendWindow += more
      if (more === 0) throw new ConnectionFault(PROTOCOL_ERROR, 'a window by nothing')
      if (sendWindow > frame.MAX_WINDOW) throw new ConnectionFault(FLOW_CONTROL_ERROR, 'a window overflows')
      return unblock()
    }
    if (isIdle(id)) throw new ConnectionFault(PROTOCOL_ERROR, 'a window of no stream')
    const stream = streams.get(id)
    if (!stream) return
    if (more === 0) return resetStream(stream, PROTOCOL_ERROR)
    stream.sendWindow += more
    if (stream.sendWindow > frame.MAX_WINDOW) return resetStream(stream, FLOW_CONTROL_ERROR)
    if (blocked.has(stream) && pump(stream, TURN)) blocked.delete(stream)
    else if (blocked.has(stream)) unblock()
  }

  function greet() {
    const settings = Buffer.alloc(18)
    const say = (at: number, setting: number, value: number) => {
      settings.writeUInt16BE(setting, at)
      settings.writeUInt32BE(value, at + 2)
    }
    say(0, frame.MAX_CONCURRENT_STREAMS, MAX_STREAMS)
    say(6, frame.INITIAL_WINDOW_SIZE, STREAM_WINDOW)
    say(12, frame.MAX_HEADER_LIST_SIZE, HEADER_LIMIT)
    output.frame(frame.SETTINGS, 0, 0, settings)
    sendNumber(frame.WINDOW_UPDATE, 0, CONNECTION_WINDOW - frame.DEFAULT_WINDOW)
  }

  greet()
  waitIdle()
  socket.on('data', onData)
  socket.on('error', () => {})
  socket.on('close', over)
  return { close, destroy }
}
