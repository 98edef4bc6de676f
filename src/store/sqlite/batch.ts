/**
 * What the main thread asks the writer's thread to do, in memory that both see. One batch is under way at a time: the
 * main thread fills it and raises the number of the batch; the writer sleeps on that number. It answers by a message,
 * and before that notes the number of a batch that went well, for a main thread that waits for just this one.
 */

export interface Row {
  readonly id: number
  readonly key: string
  /** 0 for a deletion. */
  readonly created: number
  readonly value: Uint8Array | undefined
}

export interface Batch {
  readonly rows: readonly Row[]
  /** Ids of rows that are of no more use. */
  readonly forget: readonly number[]
  /** What `forget` leaves known: the past since this revision. */
  readonly compacted: number
  /** Whether the writer must wait for the disk. */
  readonly durable: boolean
}

/** The writer's answer: the number of the batch, or why nothing of it was written. */
export type Answer = number | { readonly code: string; readonly message: string }

/** Words of the header. */
const NUMBER = 0
const FLAGS = 1
const ROWS = 2
const FORGET = 3
const WRITTEN = 4
const HEADER = 32

const DURABLE = 1
const CLOSE = 2

/** id, created, length of the key in bytes, length of the value (-1: none). */
const ROW_HEADER = 24
const FIRST_SIZE = 2 ** 20
/** Address space that is reserved; memory is taken as batches need it. */
export const BATCH_LIMIT = 64 * 2 ** 20

/** Bytes that a row takes at most. */
export const rowSize = (row: Row) => ROW_HEADER + row.key.length * 3 + (row.value?.length ?? 0)

/** The memory of a channel, to be handed to the writer's thread. */
export const createBatchMemory = () => new SharedArrayBuffer(FIRST_SIZE, { maxByteLength: BATCH_LIMIT })

export interface BatchSender {
  /** Hands over a batch. The answer to the one before must have come. Returns its number. */
  send(batch: Batch): number
  /** Sleeps until the batch of that number is written, at most `ms`. False: it is not, or it failed. */
  awaitWritten(number: number, ms: number): boolean
  /** Tells the writer to close the file and end. */
  close(): void
}

/** The main thread's side. */
export function createBatchSender(memory: SharedArrayBuffer): BatchSender {
  const header = new Int32Array(memory, 0, HEADER / 4)
  let bytes = Buffer.from(memory)
  let number = 0

  function reserve(size: number) {
    if (size <= bytes.length) return
    memory.grow(Math.min(BATCH_LIMIT, Math.max(size, bytes.length * 2)))
    bytes = Buffer.from(memory)
  }
  function writeRow({ id, key, created, value }: Row, at: number): number {
    bytes.writeDoubleLE(id, at)
    bytes.writeDoubleLE(created, at + 8)
    const length = bytes.write(key, at + ROW_HEADER)
    bytes.writeInt32LE(length, at + 16)
    bytes.writeInt32LE(value ? value.length : -1, at + 20)
    const valueAt = at + ROW_HEADER + length
    if (value) bytes.set(value, valueAt)
    return valueAt + (value?.length ?? 0)
  }
  function wake() {
    Atomics.store(header, NUMBER, ++number | 0)
    Atomics.notify(header, NUMBER)
    return number
  }

  return {
    send({ rows, forget, compacted, durable }) {
      reserve(HEADER + 8 * (forget.length + 1) + rows.reduce((sum, row) => sum + rowSize(row), 0))
      header[FLAGS] = durable ? DURABLE : 0
      header[ROWS] = rows.length
      header[FORGET] = forget.length
      bytes.writeDoubleLE(compacted, HEADER)
      let at = HEADER + 8
      for (const id of forget) at = bytes.writeDoubleLE(id, at)
      for (const row of rows) at = writeRow(row, at)
      return wake()
    },
    awaitWritten(wanted, ms) {
      const before = Atomics.load(header, WRITTEN)
      if (before !== (wanted | 0)) Atomics.wait(header, WRITTEN, before, ms)
      return Atomics.load(header, WRITTEN) === (wanted | 0)
    },
    close() {
      header[FLAGS] = CLOSE
      wake()
    },
  }
}

export interface BatchReceiver {
  /** Sleeps until there is a batch; undefined when it is time to close. Values are valid until the answer. */
  receive(): (Batch & { readonly number: number }) | undefined
  /** Notes that the batch of that number is written. */
  written(number: number): void
}

/** The writer's side. */
export function createBatchReceiver(memory: SharedArrayBuffer): BatchReceiver {
  const header = new Int32Array(memory, 0, HEADER / 4)
  let bytes = Buffer.from(memory)
  let number = 0

  function* rowsFrom(at: number, count: number): Generator<Row> {
    let next = at
    for (let index = 0; index < count; index++) {
      const keyLength = bytes.readInt32LE(next + 16)
      const valueLength = bytes.readInt32LE(next + 20)
      const keyAt = next + ROW_HEADER
      const valueAt = keyAt + keyLength
      yield {
        id: bytes.readDoubleLE(next),
        created: bytes.readDoubleLE(next + 8),
        key: bytes.toString('utf8', keyAt, valueAt),
        value: valueLength < 0 ? undefined : bytes.subarray(valueAt, valueAt + valueLength),
      }
      next = valueAt + Math.max(valueLength, 0)
    }
  }

  return {
    written(done) {
      Atomics.store(header, WRITTEN, done | 0)
      Atomics.notify(header, WRITTEN)
    },
    receive() {
      Atomics.wait(header, NUMBER, number)
      number = Atomics.load(header, NUMBER)
      const flags = header[FLAGS]!
      if (flags & CLOSE) return undefined
      if (memory.byteLength !== bytes.length) bytes = Buffer.from(memory)
      const forget = Array.from({ length: header[FORGET]! }, (_, at) => bytes.readDoubleLE(HEADER + 8 + 8 * at))
      return {
        number,
        rows: [...rowsFrom(HEADER + 8 + 8 * forget.length, header[ROWS]!)],
        forget,
        compacted: bytes.readDoubleLE(HEADER),
        durable: (flags & DURABLE) !== 0,
      }
    },
  }
}
