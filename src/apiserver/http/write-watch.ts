import type { Answer, ServerWatchEvent } from '../request.ts'
import type { Sink } from './sink.ts'

const TAIL = Buffer.from('}\n')
const HEADS = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
}

const same = (a: readonly ServerWatchEvent[], b: readonly ServerWatchEvent[]) =>
  a.length === b.length && a.every((event, at) => event === b[at])

/** Batches remembered: watchers of one scope ask for the same one in the same tick. */
const REMEMBERED = 4

/** Makes a joiner of batches into lines, which does the work once for all watchers that see the same batch. */
export function watchLines(): (batch: readonly ServerWatchEvent[]) => Buffer {
  const memo: { batch: readonly ServerWatchEvent[]; bytes: Buffer }[] = []
  let turn = 0
  return batch => {
    for (const each of memo) if (same(each.batch, batch)) return each.bytes
    const parts: Buffer[] = []
    for (const { type, object } of batch) parts.push(HEADS[type], object.bytes, TAIL)
    const bytes = Buffer.concat(parts)
    memo[turn++ % REMEMBERED] = { batch, bytes }
    return bytes
  }
}

/** Writes events as lines until the watch ends or the client goes. The head was sent. */
export async function writeWatch(
  sink: Sink,
  answer: Extract<Answer, { type: 'watch' }>,
  lines: (batch: readonly ServerWatchEvent[]) => Buffer,
): Promise<void> {
  for await (const batch of answer.events) {
    if (sink.closed) break
    if (!sink.write(lines(batch))) await sink.drained()
  }
  sink.end()
}
