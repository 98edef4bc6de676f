import { once } from 'node:events'
import { connect, createServer as createListener, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { createDeadlines } from '../deadlines.ts'
import { refuse } from '../proxy/answer.ts'
import type { Router } from '../proxy/router.ts'
import { createServer } from './server.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('createServer cuts a connection that says nothing, and leaves one that has begun to speak', async () => {
  const clock = virtualClock()
  const router: Router = visit => refuse(visit, 404)
  const certificates = { contextFor: () => undefined, fallback: () => Promise.reject(new Error('none')) }
  const server = createServer({ router, certificates, clock, deadlines: createDeadlines(clock), logger: silent })
  const taken: Socket[] = []
  const listener = createListener(socket => {
    taken.push(socket)
    server.plain(socket)
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  ends.push(() => listener.close())
  const { port } = listener.address() as { port: number }
  const [mute, speaking] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  ends.push(() => speaking.destroy())
  await Promise.all([once(mute, 'connect'), once(speaking, 'connect')])
  speaking.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(speaking, 'data')
  const closed = once(mute.resume(), 'close')
  while (taken.length < 2) await new Promise(resolve => setImmediate(resolve))
  await clock.advance(30_000)
  await closed
  speaking.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(speaking, 'data')
})
