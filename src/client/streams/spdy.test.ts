import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from './link.ts'
import { openSpdy } from './spdy.ts'

test('openSpdy announces all streams that are open before it sends data of any', async () => {
  const sent: Buffer[] = []
  const gone = new AbortController()
  const link: Link = {
    // The other side says nothing.
    incoming: (async function* () {
      await new Promise<void>(resolve => gone.signal.addEventListener('abort', () => resolve()))
    })(),
    async write(...chunks) {
      sent.push(Buffer.concat(chunks))
    },
    close: () => gone.abort(),
    signal: gone.signal,
  }
  const session = openSpdy(link)
  const [first] = ['error', 'stdin', 'stdout'].map(streamtype => session.open({ streamtype }))
  await first!.write(Buffer.from('typed'))
  session.close()
  const kinds = sent.map(frame => (frame[0]! & 0x80 ? `control ${frame.readUInt16BE(2)}` : 'data'))
  assert.deepEqual(kinds.slice(0, 4), ['control 1', 'control 1', 'control 1', 'data'])
})
