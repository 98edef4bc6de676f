import { setImmediate as turn } from 'node:timers/promises'
import type { Answer } from '../request.ts'
import type { Sink } from './sink.ts'

export type ListAnswer = Extract<Answer, { type: 'list' }>

/** Bytes joined into one write. Large enough that framing is cheap, small enough that other requests get their turn. */
const CHUNK = 256 << 10

const COMMA = Buffer.from(',')
const CLOSE = Buffer.from(']}\n')

/** Everything before the first item. */
export function listHead({ kind, apiVersion, metadata }: Omit<ListAnswer, 'items'>): Buffer {
  const head = JSON.stringify({ kind, apiVersion, metadata })
  return Buffer.from(`${head.slice(0, -1)},"items":[`)
}

/** The chunks of a list's JSON: the objects' own bytes, joined (DESIGN D3). */
export function* listChunks(answer: ListAnswer): Generator<Buffer> {
  let parts: Buffer[] = [listHead(answer)]
  let size = 0
  let first = true
  for (const { bytes } of answer.items) {
    if (!first) parts.push(COMMA)
    first = false
    parts.push(bytes)
    size += bytes.length
    if (size < CHUNK) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  parts.push(CLOSE)
  yield Buffer.concat(parts)
}

/** Writes a list in chunks, letting the event loop turn between them. The head was sent. */
export async function writeList(sink: Sink, answer: ListAnswer): Promise<void> {
  let last: Buffer | undefined
  for (const chunk of listChunks(answer)) {
    if (last) {
      if (sink.write(last)) await turn()
      else await sink.drained()
      if (sink.closed) return
    }
    last = chunk
  }
  sink.end(last)
}
