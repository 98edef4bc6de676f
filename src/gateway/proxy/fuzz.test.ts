/** Clients and backends that say anything: nothing may throw, and whoever speaks well is served all along. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { routeTo, startGateway } from './gateway.fixture.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

const random = seededRandom(11)
const below = (bound: number) => Math.floor(random.number() * bound)
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!

const REQUESTS = [
  'GET /x HTTP/1.1\r\nHost: wild\r\n\r\n',
  'POST /x HTTP/1.1\r\nHost: wild\r\nContent-Length: 5\r\n\r\nhello',
  'POST /x HTTP/1.1\r\nHost: wild\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /x HTTP/1.1\r\nHost: wild\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
  'HEAD /x HTTP/1.0\r\nHost: wild\r\nConnection: keep-alive\r\n\r\n',
]
const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
]
const PIECES = ['\r\n', '\n', '\r\n\r\n', '\0', ' ', ':', '0', 'ffffffff', 'Content-Length: 1\r\n', 'HTTP/1.1', '\xff']

/** Some of them one after the other, with a few changes. */
function wild(from: readonly string[]): string {
  let text = Array.from({ length: 1 + below(3) }, () => pick(from)).join('')
  for (let change = below(3); change > 0; change--) {
    const at = below(text.length)
    text = text.slice(0, at) + (below(2) ? pick(PIECES) : '') + text.slice(at + below(4))
  }
  return text
}

/** Says it in pieces, and ends in one of three ways, or not. */
async function say(socket: Socket, text: string) {
  for (let at = 0; at < text.length && !socket.destroyed; ) {
    const length = 1 + below(below(2) ? 10 : 200)
    socket.write(text.slice(at, at + length), 'latin1')
    at += length
    if (below(2)) await new Promise(resolve => setImmediate(resolve))
  }
  const way = below(4)
  if (way === 0) socket.end()
  if (way === 1) socket.destroy()
  if (way === 2) socket.resetAndDestroy()
}

async function listen(onConnection: (socket: Socket) => void) {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    onConnection(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

const asked = async (port: number) => {
  const sent = request({ host: '127.0.0.1', port, headers: { Host: 'good' }, agent: false }).end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return `${response.statusCode} ${text}`
}

test('openDataPlane serves on, whatever clients and backends say', async () => {
  const own = await startGateway([routeTo('wild', { host: 'wild' }), routeTo('good', { host: 'good' })])
  ends.push(() => own.close())
  const wildly = await listen(socket => void socket.once('data', () => void say(socket, wild(ANSWERS))))
  const good = await listen(socket =>
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')),
  )
  own.services.set('wild', [wildly, wildly])
  own.services.set('good', [good])
  for (let round = 0; round < 150; round++) {
    const clients = Array.from({ length: 4 }, async () => {
      const socket = connect(own.port, '127.0.0.1').on('error', () => {})
      socket.resume()
      await once(socket, 'connect')
      await say(socket, wild(REQUESTS))
      ends.push(() => socket.destroy())
    })
    const answer = asked(own.port)
    await Promise.all(clients)
    assert.equal(await answer, '200 good', `round ${round}`)
  }
})
