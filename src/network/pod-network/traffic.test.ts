import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkTraffic } from './traffic.ts'

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 53046340  146412    0    0    0     0          0         0 53046340  146412    0    0    0     0       0          0
tu0123456789abc:      10       2    3    4    0     0          0         0       50       6    7    8    0     0       0          0
`

test('linkTraffic tells what the other end of a link has received and sent', () => {
  const all = linkTraffic(TEXT)
  assert.deepEqual([...all.keys()], ['lo', 'tu0123456789abc'])
  assert.deepEqual(all.get('tu0123456789abc'), {
    received: { bytes: 50, packets: 6, errors: 7, dropped: 8 },
    sent: { bytes: 10, packets: 2, errors: 3, dropped: 4 },
  })
})
