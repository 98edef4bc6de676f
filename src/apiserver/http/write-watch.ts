import type { Answer, ServerWatchEvent } from '../request.ts'
import type { Sink } from './sink.ts'

/** A batch of events as bytes. */
export type JoinEvents = (batch: readonly ServerWatchEvent[]) => Buffer

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

/** Makes a joiner that does the work once for all watchers that see the same batch. */
function remembering(join: JoinEvents): JoinEvents {
  const memo: { batch: readonly ServerWatchEvent[]; bytes: Buffer }[] = []
  let turn = 0
  return batch => {
    for (const each of memo) if (same(each.batch, batch)) return each.bytes
    const bytes = join(batch)
    memo[turn++ % REMEMBERED] = { batch, bytes }
    return bytes
  }
}

/** Makes a joiner of batches into lines of JSON. */
export function watchLines(): JoinEvents {
  return remembering(batch => {
    const parts: Buffer[] = []
    for (const { type, object } of batch) parts.push(HEADS[type], object.bytes, TAIL)
    return Buffer.concat(parts)
  })
}

/** Makes a joiner of batches into frames of protobuf; `frame` makes one. */
export function watchFrames(frame: (event: ServerWatchEvent) => Buffer): JoinEvents {
  return remembering(batch => (batch.length === 1 ? frame(batch[0]!) : Buffer.concat(batch.map(frame))))
}

/** Writes events until the watch ends or the client goes. The head was sent. */
export async function writeWatch(
  sink: Sink,
  answer: Extract<Answer, { type: 'watch' }>,
  join: JoinEvents,
  sent: (events: number, bytes: number) => void = () => {},
): Promise<void> {
  for await (const batch of answer.events) {
    if (sink.closed) break
    const bytes = join(batch)
    sent(batch.length, bytes.length)
    if (!sink.write(bytes)) await sink.drained()
  }
  sink.end()
}
