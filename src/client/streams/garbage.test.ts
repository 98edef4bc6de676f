import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from '../../lib/clock.ts'
import { socketLink } from './link.ts'
import { type Connect, forwardOverChannels, forwardOverSpdy } from './port-forward.ts'
import { spdyCommand } from './spdy-command.ts'
import { socketPair } from './streams.fixture.ts'
import { acceptWebSocket } from './websocket.ts'
import { webSocketCommand } from './websocket-command.ts'

/** Bytes that look random and are the same in every run. */
function noise(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

const noConnection: Connect = async () => {
  throw new Error('nothing listens')
}
const options = { stdin: true, stdout: true, stderr: true, tty: true }

type Pair = Awaited<ReturnType<typeof socketPair>>
const servers: Record<string, (pair: Pair) => unknown> = {
  'SPDY command': ({ server }) =>
    spdyCommand(socketLink(server, Buffer.alloc(0)), 'v4.channel.k8s.io', options, realClock).catch(() => {}),
  'SPDY port-forward': ({ server }) => forwardOverSpdy(socketLink(server, Buffer.alloc(0)), noConnection, realClock),
  'WebSocket command': ({ server }) =>
    webSocketCommand(acceptWebSocket(server, Buffer.alloc(0), 'key', ''), 'v5.channel.k8s.io', options),
  'WebSocket port-forward': ({ server }) =>
    forwardOverChannels(acceptWebSocket(server, Buffer.alloc(0), 'key', ''), false, [80], noConnection),
}

/** Starts of valid frames, so that the noise gets past the first check. */
const beginnings: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'a SPDY stream': Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 40]),
  'SPDY data': Buffer.from([0, 0, 0, 1, 0, 0, 1, 0]),
  'a SPDY reset': Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 0]),
  'a WebSocket message': Buffer.from([0x82, 0x90]),
  'a huge WebSocket message': Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  'a WebSocket close': Buffer.from([0x88, 0x80]),
}

for (const [name, serve] of Object.entries(servers))
  test(`${name}: bytes that mean nothing end the connection and nothing else`, async () => {
    let seed = 1
    for (const beginning of Object.values(beginnings)) {
      const pair = await socketPair()
      const closed = new Promise<true>(resolve => pair.server.once('close', () => resolve(true)))
      pair.client.on('error', () => {})
      pair.client.resume()
      void serve(pair)
      pair.client.end(Buffer.concat([beginning, noise(seed++, 4096)]))
      assert.ok(await closed)
      pair.close()
    }
  })
