import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { realClock } from '../../lib/clock.ts'
import { socketLink } from './link.ts'
import { type Connect, forwardOverChannels, forwardOverSpdy } from './port-forward.ts'
import { socketPair, spdyClient } from './streams.fixture.ts'
import { upgradeOffer } from './upgrade.ts'
import { acceptWebSocket, webSocketLink } from './websocket.ts'

/** A server that answers in capitals, and how to connect to it; any port but 8080 is refused. */
async function pod() {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('data', data => socket.write(data.toString().toUpperCase()))
    socket.on('end', () => socket.end('bye'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const connect: Connect = wanted =>
    new Promise((resolve, reject) => {
      if (wanted !== 8080) return reject(new Error(`dial tcp4 127.0.0.1:${wanted}: connect: connection refused`))
      const socket: Socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket))
    })
  return { connect, close: () => server.close() }
}

/** Opens two connections to port 8080, the second after the first has ended, and one to a port that is refused. */
async function converse(spdy: ReturnType<typeof spdyClient>) {
  for (const [at, port] of [8080, 8080, 81].entries()) {
    const [error, data] = [at * 4 + 1, at * 4 + 3]
    const headers = { port: String(port), requestID: String(at) }
    await spdy.open(error, { ...headers, streamType: 'error' }, 1)
    await spdy.open(data, { ...headers, streamType: 'data' })
    if (port === 81) {
      await spdy.until(() => spdy.ended(error))
      assert.match(spdy.received(error), /error forwarding port 81: .*connection refused/)
      continue
    }
    spdy.data(data, `hello ${at} `)
    spdy.data(data, '', 1)
    await spdy.until(() => spdy.ended(data))
    assert.equal(spdy.received(data), `HELLO ${at} bye`)
    assert.equal(spdy.received(error), '')
  }
}

test('forwardOverSpdy carries several connections and tells which port failed', async () => {
  const { connect, close } = await pod()
  const pair = await socketPair()
  const served = forwardOverSpdy(socketLink(pair.server, Buffer.alloc(0)), connect, realClock)
  await converse(spdyClient(pair.client))
  pair.client.destroy()
  await served
  pair.close()
  close()
})

/** Starts a WebSocket server that hands its one connection to `serve`. */
async function overWebSocket(protocol: string, serve: (socket: ReturnType<typeof acceptWebSocket>) => Promise<void>) {
  const server = createHttpServer()
  server.on('upgrade', (message, socket, head) => {
    const offer = upgradeOffer(message)
    if (offer?.type === 'websocket') void serve(acceptWebSocket(socket, head, offer.key, protocol))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as { port: number }).port, close: () => server.close() }
}

test('forwardOverSpdy works inside WebSocket messages, whose subprotocol is no token', async () => {
  const { connect, close } = await pod()
  const protocol = 'SPDY/3.1+portforward.k8s.io'
  const server = await overWebSocket(protocol, socket => forwardOverSpdy(webSocketLink(socket), connect, realClock))
  const { createHash } = await import('node:crypto')
  const raw = connectTcp(server.port, '127.0.0.1')
  const key = Buffer.alloc(16, 1).toString('base64')
  raw.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  )
  const head = await new Promise<Buffer>(resolve => raw.once('data', resolve))
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  assert.match(head.toString(), new RegExp(`Sec-WebSocket-Accept: ${accept.replace(/[+]/g, '\\+')}`))
  assert.match(head.toString(), /Sec-WebSocket-Protocol: SPDY\/3\.1\+portforward\.k8s\.io/)
  // Short messages only, so that a mask of zeros and one-byte lengths do.
  const tunnel = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += 100) {
        const part = chunk.subarray(at, at + 100)
        raw.write(Buffer.concat([Buffer.of(0x82, 0x80 | part.length, 0, 0, 0, 0), part]))
      }
      done()
    },
  })
  raw.on('data', (data: Buffer) => {
    for (let at = 0; at + 2 <= data.length; ) {
      const length = data[at + 1]!
      tunnel.push(data.subarray(at + 2, at + 2 + length))
      at += 2 + length
    }
  })
  await converse(spdyClient(tunnel))
  raw.destroy()
  server.close()
  close()
})

test('forwardOverChannels sends each port number first, then data', async () => {
  const { connect, close } = await pod()
  const server = await overWebSocket('v4.channel.k8s.io', socket =>
    forwardOverChannels(socket, false, [8080, 81], connect),
  )
  const client = new WebSocket(`ws://127.0.0.1:${server.port}`, ['v4.channel.k8s.io'])
  const received: Buffer[] = [0, 1, 2, 3].map(() => Buffer.alloc(0))
  client.on('message', (data: Buffer) => {
    received[data[0]!] = Buffer.concat([received[data[0]!]!, data.subarray(1)])
    if (data[0] === 0 && received[0]!.length === 7) client.close()
  })
  await new Promise(resolve => client.once('open', resolve))
  client.send(Buffer.from('\0hello'))
  await new Promise(resolve => client.once('close', resolve))
  assert.equal(received[0]!.toString('latin1'), '\x90\x1fHELLO')
  assert.equal(received[1]!.toString('latin1'), '\x90\x1f')
  assert.match(received[3]!.toString('latin1'), /^Q\0error forwarding port 81/)
  server.close()
  close()
})
