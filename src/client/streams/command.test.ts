import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { realClock } from '../../lib/clock.ts'
import { settled } from '../../lib/virtual-clock.ts'
import type { CommandStreams } from '../node-api.ts'
import { type CommandOptions, runCommand } from './command-channel.ts'
import { socketLink } from './link.ts'
import { spdyCommand } from './spdy-command.ts'
import { socketPair, spdyClient } from './streams.fixture.ts'
import { chooseProtocol, upgradeOffer } from './upgrade.ts'
import { acceptWebSocket } from './websocket.ts'
import { COMMAND_PROTOCOLS, webSocketCommand } from './websocket-command.ts'

type Command = (streams: CommandStreams) => Promise<number>
const all: CommandOptions = { stdin: true, stdout: true, stderr: true, tty: false }
const statusOf = (error: unknown) => ({ status: 'Failure', code: 500, message: (error as Error).message })

/** Repeats its input in capitals, says so on stderr, and exits with the number of bytes. */
const shout: Command = async ({ stdin, stdout, stderr }) => {
  let size = 0
  for await (const chunk of stdin!) {
    size += chunk.length
    await stdout!(Buffer.from(Buffer.from(chunk).toString().toUpperCase()))
  }
  await stderr!(Buffer.from(`${size} bytes`))
  return size
}

/** Serves one command on a port of its own and connects to it. */
async function overWebSocket(protocol: string, command: Command, options = all) {
  const server = createServer()
  server.on('upgrade', (message, socket, head) => {
    const offer = upgradeOffer(message)
    assert.equal(offer?.type, 'websocket')
    const chosen = chooseProtocol(offer.offered, COMMAND_PROTOCOLS)!
    const connection = acceptWebSocket(socket, head, offer.type === 'websocket' ? offer.key : '', chosen)
    void runCommand(webSocketCommand(connection, chosen, options), command, statusOf)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = new WebSocket(`ws://127.0.0.1:${port}`, protocol ? [protocol] : [])
  const received: Record<number, string> = {}
  client.on('message', (data: Buffer, binary: boolean) => {
    const channel = binary ? data[0]! : Number(String.fromCharCode(data[0]!))
    const rest = binary ? data.subarray(1).toString() : Buffer.from(data.subarray(1).toString(), 'base64').toString()
    received[channel] = (received[channel] ?? '') + rest
  })
  const closed = new Promise<number>(resolve => client.once('close', resolve))
  await new Promise(resolve => client.once('open', resolve))
  return {
    client,
    received,
    send: (channel: number, text: string) => client.send(Buffer.concat([Buffer.of(channel), Buffer.from(text)])),
    closed: closed.finally(() => server.close()),
  }
}

test('v5.channel.k8s.io carries input, its end, both outputs and the exit code', async () => {
  const { client, received, send, closed } = await overWebSocket('v5.channel.k8s.io', shout)
  send(0, 'hel')
  send(0, 'lo')
  client.send(Buffer.of(255, 0))
  assert.equal(await closed, 1000)
  assert.equal(received[1], 'HELLO')
  assert.equal(received[2], '5 bytes')
  const status = JSON.parse(received[3]!)
  assert.equal(status.reason, 'NonZeroExitCode')
  assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '5' }])
})

test('v4.channel.k8s.io tells success', async () => {
  const { received, closed } = await overWebSocket('v4.channel.k8s.io', async ({ stdout }) => {
    await stdout!(Buffer.from('done'))
    return 0
  })
  await closed
  assert.equal(received[1], 'done')
  assert.deepEqual(JSON.parse(received[3]!), { metadata: {}, status: 'Success' })
})

test('channel.k8s.io and clients that name no protocol get text on the error channel, and none for success', async () => {
  for (const protocol of ['channel.k8s.io', 'base64.channel.k8s.io', '']) {
    const good = await overWebSocket(protocol, async ({ stdout }) => {
      await stdout!(Buffer.from('ok'))
      return 0
    })
    await good.closed
    assert.equal(good.received[1], 'ok', protocol)
    assert.equal(good.received[3], undefined, protocol)
    const bad = await overWebSocket(protocol, async () => {
      throw new Error('container is gone')
    })
    await bad.closed
    assert.equal(bad.received[3], 'container is gone', protocol)
  }
})

test('a terminal has no stderr of its own and is resized', async () => {
  const options = { ...all, tty: true }
  const { received, send, closed } = await overWebSocket(
    'v4.channel.k8s.io',
    async ({ stderr, resize, stdout }) => {
      assert.equal(stderr, undefined)
      for await (const size of resize!) {
        await stdout!(Buffer.from(JSON.stringify(size)))
        return 0
      }
      return 1
    },
    options,
  )
  send(4, 'nonsense')
  send(4, '{"Width":80,"Height":24}')
  await closed
  assert.equal(received[1], '{"columns":80,"rows":24}')
})

test('a client that goes away aborts the command and ends its input', async () => {
  let told: ((how: string) => void) | undefined
  const end = new Promise<string>(resolve => {
    told = resolve
  })
  const { client } = await overWebSocket('v5.channel.k8s.io', async ({ signal, stdin }) => {
    signal.addEventListener('abort', () => told!('aborted'))
    for await (const _ of stdin!);
    return 0
  })
  client.terminate()
  assert.equal(await end, 'aborted')
})

test('output waits for a client that does not read', async () => {
  const held: (() => void)[] = []
  let reading = false
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      if (reading) done()
      else held.push(done)
    },
  })
  const connection = acceptWebSocket(socket, Buffer.alloc(0), 'key', 'v4.channel.k8s.io')
  let written = 0
  const running = runCommand(
    webSocketCommand(connection, 'v4.channel.k8s.io', all),
    async ({ stdout }) => {
      for (; written < 1000; written++) await stdout!(Buffer.alloc(4096))
      return 0
    },
    statusOf,
  )
  await settled()
  assert.ok(written < 100, `${written} chunks were taken by nobody`)
  reading = true
  while (held.length) held.shift()!()
  await running
  assert.equal(written, 1000)
})

async function overSpdy(options: CommandOptions, command: Command) {
  const { client, server, close } = await socketPair()
  const running = spdyCommand(socketLink(server, Buffer.alloc(0)), 'v4.channel.k8s.io', options, realClock).then(
    channel => runCommand(channel, command, statusOf),
  )
  return { spdy: spdyClient(client), client, running, close }
}

test('SPDY carries input, its end, both outputs and the exit code', async () => {
  const { spdy, running, close } = await overSpdy(all, shout)
  for (const [at, streamType] of ['error', 'stdin', 'stdout', 'stderr'].entries())
    await spdy.open(at * 2 + 1, { streamType })
  spdy.ping(7)
  spdy.data(3, 'abc')
  spdy.data(3, '', 1)
  await spdy.until(() => spdy.ended(1) && spdy.ended(5))
  assert.equal(spdy.received(5), 'ABC')
  assert.equal(spdy.received(7), '3 bytes')
  assert.equal(JSON.parse(spdy.received(1)).details.causes[0].message, '3')
  assert.equal(spdy.frames.filter(frame => frame.type === 2).length, 4)
  assert.ok(spdy.frames.some(frame => frame.type === 6 && frame.id === 7))
  await running
  close()
})

test('SPDY output is not held back by windows that the client never opens', async () => {
  const size = 20 * 1024 * 1024
  const { spdy, running, close } = await overSpdy({ ...all, stdin: false, stderr: false }, async ({ stdout }) => {
    await stdout!(Buffer.alloc(size, 120))
    return 0
  })
  await spdy.open(1, { streamType: 'error' })
  await spdy.open(3, { streamType: 'stdout' })
  await running
  await spdy.until(() => spdy.ended(3))
  assert.equal(spdy.received(3).length, size)
  close()
})

test('a SPDY client that goes away aborts the command', async () => {
  const { spdy, client, running, close } = await overSpdy({ ...all, stdin: false }, async ({ signal }) => {
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    return 0
  })
  for (const [at, streamType] of ['error', 'stdout', 'stderr'].entries()) await spdy.open(at * 2 + 1, { streamType })
  await spdy.until(frames => frames.filter(frame => frame.type === 2).length === 3)
  client.destroy()
  await running
  close()
})

test('chooseProtocol takes the best that both know', () => {
  const cases: [string[], string | undefined][] = [
    [['v4.channel.k8s.io', 'v5.channel.k8s.io'], 'v5.channel.k8s.io'],
    [['v4.channel.k8s.io'], 'v4.channel.k8s.io'],
    [[], ''],
    [['v9.channel.k8s.io'], undefined],
  ]
  for (const [offered, chosen] of cases) assert.equal(chooseProtocol(offered, COMMAND_PROTOCOLS), chosen)
})
