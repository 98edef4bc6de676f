import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createDeadlines } from '../deadlines.ts'
import { openHttp2 } from './http2.ts'

test('Http2Visit is given up with a client that takes nothing of its answer for 5 minutes', {
  timeout: 60_000,
}, async () => {
  const clock = virtualClock()
  const closed: string[] = []
  const deps = { clock, deadlines: createDeadlines(clock) }
  const { server } = openHttp2(visit => {
    const { path = '' } = visit.inbound
    visit.events.closed = () => closed.push(path)
    visit.begin({ status: 200, reason: 'OK', fields: [], body: 'unsized' })
    visit.write(Buffer.alloc(path === '/little' ? 1 : 2 ** 20))
    if (path === '/whole') visit.end([])
    visit.flush()
  }, deps)
  const listener = createServer(socket => server.emit('connection', socket))
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`)
  try {
    // Of one nothing more comes: it may wait.
    const idle = session.request({ ':path': '/little' })
    await once(idle, 'response')
    const stalled = ['/much', '/whole'].map(path => session.request({ ':path': path }))
    await Promise.all(stalled.map(stream => once(stream, 'response')))
    const ended = Promise.all(stalled.map(stream => once(stream, 'error')))
    await clock.advance(299_000)
    assert.deepEqual(closed, [])
    await clock.advance(6_000)
    await ended
    assert.deepEqual(closed.toSorted(), ['/much', '/whole'])
    await clock.advance(600_000)
    assert.equal(idle.closed, false)
    assert.deepEqual(closed.toSorted(), ['/much', '/whole'])
  } finally {
    session.destroy()
    listener.close()
  }
})

test('openHttp2 refuses a head of 20 kB, also before a client has heard of the limit', {
  timeout: 20_000,
}, async () => {
  const clock = virtualClock()
  const seen: string[] = []
  const { server } = openHttp2(
    visit => {
      seen.push(visit.inbound.target)
      visit.begin({ status: 200, reason: 'OK', fields: [], body: 'none' })
      visit.end([])
    },
    { clock, deadlines: createDeadlines(clock) },
  )
  const listener = createServer(socket => server.emit('connection', socket))
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`)
  const ask = (path: string, bytes: number) => {
    const stream = session.request({ ':path': path, x: 'x'.repeat(bytes) })
    stream.on('error', () => {})
    return once(stream, 'response').then(
      () => 'answered',
      () => stream.rstCode,
    )
  }
  try {
    const first = [ask('/a', 20_000), ask('/b', 12_000), ask('/c', 20_000)]
    assert.deepEqual(await Promise.all(first), [
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
      'answered',
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    ])
    assert.equal(await ask('/d', 20_000), constants.NGHTTP2_ENHANCE_YOUR_CALM)
    assert.deepEqual(seen, ['/b'])
  } finally {
    session.destroy()
    listener.close()
  }
})
