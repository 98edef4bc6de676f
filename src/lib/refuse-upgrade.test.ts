import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { eventually } from './eventually.fixture.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'
import { virtualClock } from './virtual-clock.ts'

/** A client that has read its refusal, and has sent more than the request meanwhile. */
async function refused(t: TestContext) {
  const clock = virtualClock()
  const sockets: Duplex[] = []
  const server = createServer().on('upgrade', (_, socket: Duplex) => {
    sockets.push(socket.on('error', () => {}))
    refuseUpgrade(socket, 403, 'text/plain', 'no', clock)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, allowHalfOpen: true })
  t.after(() => {
    for (const each of [client, ...sockets]) each.destroy()
    server.close()
  })
  let text = ''
  client.setEncoding('latin1').on('data', chunk => (text += chunk))
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  client.write(Buffer.alloc(3 << 20))
  await once(client, 'end')
  assert.match(text, /^HTTP\/1\.1 403 [\s\S]*\r\n\r\nno$/)
  return { clock, client, socket: sockets[0]! }
}

test('refuseUpgrade keeps no connection whose client has gone, whatever that has sent', async t => {
  const { clock, client, socket } = await refused(t)
  client.end()
  await eventually(() => socket.destroyed)
  assert.equal(clock.nextDue(), undefined)
})

test('refuseUpgrade gives a client a second to go', async t => {
  const { clock, socket } = await refused(t)
  await clock.advance(999)
  assert.equal(socket.destroyed, false)
  await clock.advance(1)
  assert.equal(socket.destroyed, true)
})
