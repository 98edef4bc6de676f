import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { eventually } from './eventually.fixture.ts'
import { lingerAtEnd } from './linger.ts'
import { settled, virtualClock } from './virtual-clock.ts'

const MEGABYTE = Buffer.alloc(1 << 20, 'x')
const head = (length: number) => `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`
const refuse = (response: ServerResponse) => response.writeHead(413, { 'content-length': 9 }).end('too large')

type Listener = (message: IncomingMessage, response: ServerResponse) => unknown
/** Answers before the body has come, of which it has read nothing, or a part. */
const listeners: readonly [what: string, listener: Listener][] = [
  ['nobody reads', (_, response) => refuse(response)],
  ['was read in part', (message, response) => message.on('data', () => response.headersSent || refuse(response))],
  ['waits for its reader', (message, response) => message.on('data', () => {}).pause() && refuse(response)],
]

/** A server that has answered a client, which sends on and has read nothing yet. */
async function answered(t: TestContext, listener: Listener, text: string) {
  const clock = virtualClock()
  const server = createServer()
  lingerAtEnd(server, clock)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const taken = once(server, 'connection')
  const isAnswered = new Promise<void>(resolve => server.on('request', (_, response) => response.on('close', resolve)))
  server.on('request', listener)
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, allowHalfOpen: true })
  t.after(() => {
    client.destroy()
    server.close()
  })
  client.on('error', () => {})
  client.pause()
  client.write(text)
  const [socket] = (await taken) as [Socket]
  await isAnswered
  await settled()
  return { clock, client, socket }
}

/** Resolves when the bytes are on their way; rejects where the connection is reset. */
const send = (client: Socket, bytes: Buffer) =>
  new Promise<void>((resolve, reject) => client.write(bytes, error => (error ? reject(error) : resolve())))

for (const [what, listener] of listeners)
  test(`lingerAtEnd has a client send what is left of a body that ${what}, and read its answer then`, async t => {
    const { clock, client, socket } = await answered(t, listener, `${head(100_000_000)}x`)
    for (let at = 0; at < 8; at++) await send(client, MEGABYTE)
    let text = ''
    client
      .setEncoding('latin1')
      .on('data', chunk => (text += chunk))
      .resume()
    await once(client, 'end')
    assert.match(text, /^HTTP\/1\.1 413 [\s\S]*\r\n\r\ntoo large$/)
    client.destroy()
    await eventually(() => socket.destroyed)
    assert.equal(clock.nextDue(), undefined)
  })

test('lingerAtEnd gives a client a second', async t => {
  const { clock, client, socket } = await answered(t, listeners[0]![1], `${head(100_000_000)}x`)
  await clock.advance(999)
  await send(client, MEGABYTE)
  assert.equal(socket.destroyed, false)
  await clock.advance(1)
  assert.equal(socket.destroyed, true)
})

test('lingerAtEnd reads 64 MiB and no more', async t => {
  const { client, socket } = await answered(t, listeners[0]![1], `${head(1_000_000_000)}x`)
  const sending = (async () => {
    for (;;) await send(client, MEGABYTE)
  })()
  await assert.rejects(sending, { syscall: 'write' })
  assert.equal(socket.destroyed, true)
  assert.ok(socket.bytesRead > 64 << 20 && socket.bytesRead < 68 << 20, `${socket.bytesRead}`)
})

test('lingerAtEnd lets a connection go at once whose request came whole', async t => {
  const { clock, socket } = await answered(t, listeners[0]![1], `${head(1)}x`)
  await eventually(() => socket.destroyed)
  assert.equal(clock.nextDue(), undefined)
})
