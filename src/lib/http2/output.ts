/** What goes out on a connection: frames of one turn of the event loop are put together and written at once. */
import type { Duplex } from 'node:stream'
import { FRAME_HEAD, writeHead } from './frame.ts'

/** A connection that has more bytes than this waiting is full. */
const FULL = 512 * 1024
/** Larger payloads are written from where they are: many connections may share them. */
const COPIED = 4096

/**
 * What is copied is collected in pieces of memory. Those that were written are filled again, for any connection: new
 * memory costs more than what is put into it.
 */
const PIECE = 16 * 1024
const spares: Buffer[] = []
const KEPT = 128

export interface Output {
  /** Puts a frame of this payload behind the others; a copy. */
  frame(type: number, flags: number, stream: number, payload: Buffer, start?: number, end?: number): void
  /** As `frame`, but the payload must stay as it is until `released`. */
  largeFrame(type: number, flags: number, stream: number, payload: Buffer, start: number, end: number): void
  /** Calls `fn` when all payloads that were put in so far may be used for something else. */
  released(fn: () => void): void
  /** The other end does not keep up: data should wait. */
  isFull(): boolean
  /** Writes what there is; done by itself at the end of a turn. */
  flush(): void
  /** Bytes that are collected, or written and not taken yet. */
  waiting(): number
}

/** Makes one that writes to `socket`; `onRoom` is called when it was full and is not any more. */
export function createOutput(socket: Duplex, onRoom: () => void): Output {
  /** In the order in which they are written; the last may be the beginning of `piece`. */
  let chunks: Buffer[] = []
  let pieces: Buffer[] = []
  let releases: (() => void)[] = []
  let piece: Buffer | undefined
  /** What of the piece is in `chunks` already, and what is in use. */
  let cut = 0
  let used = 0
  let bytes = 0
  let isScheduled = false
  let wasFull = false

  function closePiece() {
    if (piece && used > cut) chunks.push(piece.subarray(cut, used))
    cut = used
  }
  function room(length: number): Buffer {
    if (piece && used + length <= piece.length) return piece
    closePiece()
    const isOrdinary = length <= PIECE
    piece = isOrdinary ? (spares.pop() ?? Buffer.allocUnsafeSlow(PIECE)) : Buffer.allocUnsafeSlow(length)
    if (isOrdinary) pieces.push(piece)
    cut = used = 0
    return piece
  }
  function schedule() {
    if (isScheduled) return
    isScheduled = true
    process.nextTick(endTurn)
  }
  function endTurn() {
    isScheduled = false
    flush()
  }

  function written(taken: readonly Buffer[], free: readonly (() => void)[]) {
    for (const each of taken) if (spares.length < KEPT) spares.push(each)
    for (const release of free) release()
    if (!wasFull || isFull()) return
    wasFull = false
    onRoom()
  }

  function flush() {
    closePiece()
    if (chunks.length === 0 && releases.length === 0) return
    const [all, taken, free] = [chunks, pieces, releases]
    chunks = []
    pieces = []
    releases = []
    piece = undefined
    cut = used = bytes = 0
    const done = () => written(taken, free)
    if (socket.destroyed || all.length === 0) return done()
    if (all.length === 1) return void socket.write(all[0]!, done)
    socket.cork()
    for (let at = 0; at < all.length - 1; at++) socket.write(all[at]!)
    socket.write(all.at(-1)!, done)
    socket.uncork()
  }

  function isFull() {
    const full = bytes + socket.writableLength > FULL
    wasFull ||= full
    return full
  }

  function frame(type: number, flags: number, stream: number, payload: Buffer, start = 0, end = payload.length) {
    const length = end - start
    const target = room(FRAME_HEAD + length)
    writeHead(target, used, length, type, flags, stream)
    payload.copy(target, used + FRAME_HEAD, start, end)
    used += FRAME_HEAD + length
    bytes += FRAME_HEAD + length
    schedule()
  }

  return {
    frame,
    largeFrame(type, flags, stream, payload, start, end) {
      const length = end - start
      if (length <= COPIED) return frame(type, flags, stream, payload, start, end)
      writeHead(room(FRAME_HEAD), used, length, type, flags, stream)
      used += FRAME_HEAD
      closePiece()
      chunks.push(payload.subarray(start, end))
      bytes += FRAME_HEAD + length
      schedule()
    },
    released(fn) {
      releases.push(fn)
      schedule()
    },
    isFull,
    flush,
    waiting: () => bytes + socket.writableLength,
  }
}
