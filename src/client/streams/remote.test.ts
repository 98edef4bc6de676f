import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { socketLink } from './link.ts'
import { remoteCommand } from './remote-command.ts'
import { remotePort } from './remote-port.ts'
import { socketPair, spdyClient } from './streams.fixture.ts'

/** The stream for errors is opened first. */
const ERROR = 1
const DATA = 3
const FIN = 1
const ENDLESS = Buffer.alloc(1 << 20, 'x')

async function node() {
  const pair = await socketPair()
  pair.server.on('error', () => {})
  return { ...pair, link: socketLink(pair.client, Buffer.alloc(0)), says: spdyClient(pair.server) }
}

test('remoteCommand does not gather the error of a node that says without end what is wrong', async () => {
  const { says, link, close } = await node()
  const ended = remoteCommand(link, false, { stdout: async () => {}, signal: new AbortController().signal })
  says.data(ERROR, ENDLESS)
  await assert.rejects(ended, { message: 'the answer is longer than 65536 bytes' })
  close()
})

test('remotePort fails with what the node says, and with less of one that says it without end', async () => {
  for (const [said, message] of [
    ['error forwarding port 80: nothing listens', 'nothing listens'],
    [ENDLESS, 'the answer is longer than 65536 bytes'],
  ] as const) {
    const { says, link, close } = await node()
    const connection = remotePort(link, 80)
    connection.resume()
    says.data(ERROR, said, FIN)
    says.data(DATA, '', FIN)
    const [error] = await once(connection, 'error')
    assert.equal(error.message, message)
    close()
  }
})
