import type { Answer } from '../request.ts'
import { CHUNK_SIZE, type ChunkPool } from './chunk-pool.ts'
import type { Sink } from './sink.ts'

export type ListAnswer = Extract<Answer, { type: 'list' }>

const COMMA = Buffer.from(',')
const OPEN = Buffer.from('{')
const COMMA_OPEN = Buffer.from(',{')
const CLOSE = Buffer.from(']}\n')
/** Chunks that may wait for the client while the next one is filled. */
const IN_FLIGHT = 2

/** Everything before the first item. */
function listHead({ kind, apiVersion, metadata }: Omit<ListAnswer, 'items'>): Buffer {
  const head = JSON.stringify({ kind, apiVersion, metadata })
  return Buffer.from(`${head.slice(0, -1)},"items":[`)
}

/** What the bytes of the list's objects begin with, up to where their metadata stands. */
const typeHead = ({ kind, apiVersion }: ListAnswer) =>
  Buffer.from(`{"kind":${JSON.stringify(kind.replace(/List$/, ''))},"apiVersion":${JSON.stringify(apiVersion)},`)

/** A list's JSON in pieces: the objects' own bytes one after the other, and what stands between them. */
export function* jsonList(answer: ListAnswer): Generator<Buffer> {
  yield listHead(answer)
  let first = true
  if (answer.untyped) {
    const { length } = typeHead(answer)
    for (const { bytes } of answer.items) {
      yield first ? OPEN : COMMA_OPEN
      first = false
      yield bytes.subarray(length)
    }
    yield CLOSE
    return
  }
  for (const { bytes } of answer.items) {
    if (!first) yield COMMA
    first = false
    yield bytes
  }
  yield CLOSE
}

/**
 * Writes the pieces of a body in chunks (DESIGN D3). While the client takes a chunk, others get their turn. The head
 * was sent.
 */
export async function writePieces(sink: Sink, pieces: Iterable<Buffer>, pool: ChunkPool): Promise<void> {
  const waiting: Promise<void>[] = []
  let chunk = pool.take()
  let length = 0

  function send(): Promise<void> {
    const full = chunk
    waiting.push(sink.written(full.subarray(0, length)).finally(() => pool.give(full)))
    chunk = pool.take()
    length = 0
    return waiting.length > IN_FLIGHT ? waiting.shift()! : Promise.resolve()
  }

  for (const bytes of pieces) {
    if (length + bytes.length > CHUNK_SIZE) {
      await send()
      if (sink.closed) break
    }
    if (bytes.length < CHUNK_SIZE) length += bytes.copy(chunk, length)
    // One object that fills a chunk alone goes out as it is.
    else await sink.written(bytes)
  }
  const last = chunk
  await Promise.all(waiting)
  if (length) await sink.written(last.subarray(0, length))
  pool.give(last)
  sink.end()
}
