/** A watch as it comes over a wire: a line of JSON for each event. */
import type { WatchEvent } from './transport.ts'

const NEWLINE = 10

/**
 * The events in a body; those that end in one chunk come in one batch. Rejects where one is longer than `most` bytes, as
 * far as it has come.
 */
export async function* eventLines(
  body: AsyncIterable<Uint8Array>,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly WatchEvent[]> {
  let begun: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    const end = chunk.lastIndexOf(NEWLINE) + 1
    if (end > 0) {
      const text = Buffer.concat([...begun, chunk.subarray(0, end)]).toString()
      begun = []
      size = 0
      const batch: WatchEvent[] = []
      for (const line of text.split('\n')) if (line) batch.push(JSON.parse(line) as WatchEvent)
      if (batch.length > 0) yield batch
    }
    begun.push(chunk.subarray(end))
    size += chunk.length - end
    if (size > most) throw new Error(`an event is longer than ${most} bytes`)
  }
}
