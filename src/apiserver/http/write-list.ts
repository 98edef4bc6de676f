import type { Answer } from '../request.ts'
import { CHUNK_SIZE, type ChunkPool } from './chunk-pool.ts'
import type { Sink } from './sink.ts'

export type ListAnswer = Extract<Answer, { type: 'list' }>

const COMMA = 0x2c
const CLOSE = Buffer.from(']}\n')
/** Chunks that may wait for the client while the next one is filled. */
const IN_FLIGHT = 2

/** Everything before the first item. */
export function listHead({ kind, apiVersion, metadata }: Omit<ListAnswer, 'items'>): Buffer {
  const head = JSON.stringify({ kind, apiVersion, metadata })
  return Buffer.from(`${head.slice(0, -1)},"items":[`)
}

/** A list's JSON as one buffer. */
export function listBytes(answer: ListAnswer): Buffer {
  const parts: Buffer[] = [listHead(answer)]
  const comma = Buffer.of(COMMA)
  for (const { bytes } of answer.items) {
    if (parts.length > 1) parts.push(comma)
    parts.push(bytes)
  }
  parts.push(CLOSE)
  return Buffer.concat(parts)
}

/**
 * Writes a list in chunks, as the objects' own bytes one after the other (DESIGN D3). While the client takes a chunk,
 * others get their turn. The head was sent.
 */
export async function writeList(sink: Sink, answer: ListAnswer, pool: ChunkPool): Promise<void> {
  const waiting: Promise<void>[] = []
  let chunk = pool.take()
  let length = listHead(answer).copy(chunk)

  function send(): Promise<void> {
    const full = chunk
    const sent = sink.written(full.subarray(0, length)).finally(() => pool.give(full))
    waiting.push(sent)
    chunk = pool.take()
    length = 0
    return waiting.length > IN_FLIGHT ? waiting.shift()! : Promise.resolve()
  }

  let first = true
  for (const { bytes } of answer.items) {
    if (length + bytes.length + 1 > CHUNK_SIZE) {
      await send()
      if (sink.closed) break
    }
    if (!first) chunk[length++] = COMMA
    first = false
    if (bytes.length < CHUNK_SIZE) length += bytes.copy(chunk, length)
    else {
      // One object that fills a chunk alone goes out as it is.
      await send()
      await sink.written(bytes)
    }
  }
  if (length + CLOSE.length > CHUNK_SIZE) await send()
  length += CLOSE.copy(chunk, length)
  const last = chunk
  await Promise.all(waiting)
  await sink.written(last.subarray(0, length))
  pool.give(last)
  sink.end()
}
