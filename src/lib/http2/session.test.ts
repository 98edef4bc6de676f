import assert from 'node:assert/strict'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket, connect as tcp } from 'node:net'
import { after, before, test } from 'node:test'
import { realClock } from '../clock.ts'
import { virtualClock } from '../virtual-clock.ts'
import { HeaderEncoder } from './encode-headers.ts'
import * as frame from './frame.ts'
import { createSession } from './session.ts'
import type { ServerStream } from './stream.ts'

const IDLE = 1000

/** Answers by the path: what a test wants to see. */
function answer(stream: ServerStream) {
  const path = String(stream.headers[':path'])
  if (path === '/echo') {
    const chunks: Buffer[] = []
    stream.take({
      data: chunk => void chunks.push(chunk),
      end() {
        stream.respond(200, { 'content-type': 'text/plain' })
        stream.end(Buffer.concat(chunks))
      },
      aborted() {},
    })
  } else if (path === '/pipe') {
    stream.respond(200, {})
    stream
      .readable()
      .on('data', (chunk: Buffer) => stream.write(chunk))
      .on('end', () => stream.end())
  } else if (path === '/headers') {
    stream.respond(200, {})
    stream.end(Buffer.from(JSON.stringify(stream.rawHeaders)))
  } else if (path.startsWith('/large/')) {
    stream.respond(200, {})
    stream.end(Buffer.alloc(Number(path.slice(7)), 0x61))
  } else if (path === '/silent') stream.respond(200, {})
  else {
    stream.respond(404, {}, true)
  }
}

let server: Server
let port: number
const clock = virtualClock()
const streams: ServerStream[] = []
before(async () => {
  server = createServer(socket => {
    createSession(socket, {
      clock,
      idleMs: IDLE,
      onStream(stream) {
        streams.push(stream)
        answer(stream)
      },
      onClose() {},
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(() => server.close())

function call(
  session: ClientHttp2Session,
  path: string,
  body?: Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': body ? 'POST' : 'GET', ...headers })
    const chunks: Buffer[] = []
    let status = 0
    stream.on('response', head => {
      status = Number(head[':status'])
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve({ status, body: Buffer.concat(chunks) }))
    stream.on('error', reject)
    stream.end(body)
  })
}

async function withClient(options: object, use: (session: ClientHttp2Session) => Promise<void>) {
  const session = connect(`http://127.0.0.1:${port}`, options)
  session.on('error', () => {})
  try {
    await use(session)
  } finally {
    session.destroy()
  }
}

test('createSession takes bodies of any size, and gives them back', () =>
  withClient({}, async session => {
    const sizes = [0, 1, 16_384, 16_385, 3_000_000]
    const sent = sizes.map(size => Buffer.alloc(size, size & 0xff))
    for (const path of ['/echo', '/pipe']) {
      const got = await Promise.all(sent.map(body => call(session, path, body)))
      got.forEach(({ status, body }, at) => {
        assert.equal(status, 200)
        assert.ok(body.equals(sent[at]!), `${sizes[at]} bytes`)
      })
    }
  }))

test('createSession keeps to small windows, and to a client that changes them', () =>
  withClient({ settings: { initialWindowSize: 10 } }, async session => {
    const small = await call(session, '/large/1000')
    assert.equal(small.body.length, 1000)
    const large = call(session, '/large/500000')
    session.settings({ initialWindowSize: 100_000 })
    assert.equal((await large).body.length, 500_000)
  }))

test('createSession lets streams take turns', () =>
  withClient({ settings: { initialWindowSize: 1 << 24 } }, async session => {
    const got = await Promise.all([1, 2, 3, 4].map(at => call(session, `/large/${at}000000`)))
    assert.deepEqual(
      got.map(({ body }) => body.length),
      [1_000_000, 2_000_000, 3_000_000, 4_000_000],
    )
  }))

test('createSession reads headers as they were sent, packed or not', () =>
  withClient({}, async session => {
    const text = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x21 + (at % 94))).join('')
    for (let round = 0; round < 3; round++) {
      const { body } = await call(session, '/headers', undefined, { 'x-text': text, 'x-round': `a${round}` })
      const list: string[] = JSON.parse(body.toString())
      assert.equal(list[list.indexOf('x-text') + 1], text)
      assert.equal(list[list.indexOf('x-round') + 1], `a${round}`)
    }
  }))

/** A client that says what it wants to say, and what it hears, frame by frame. */
function raw(): Promise<{
  socket: Socket
  send(type: number, flags: number, stream: number, payload?: Buffer): void
  next(type: number): Promise<Buffer>
  ended: Promise<void>
}> {
  return new Promise(resolve => {
    const socket = tcp(port, '127.0.0.1', () => {
      const heard: { type: number; payload: Buffer }[] = []
      const waiting: { type: number; give(payload: Buffer): void }[] = []
      let rest = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
          const length = rest.readUIntBE(0, 3)
          const payload = Buffer.concat([rest.subarray(5, 9), rest.subarray(9, 9 + length)])
          const type = rest[3]!
          rest = rest.subarray(9 + length)
          const at = waiting.findIndex(each => each.type === type)
          if (at >= 0) waiting.splice(at, 1)[0]!.give(payload)
          else heard.push({ type, payload })
        }
      })
      socket.on('error', () => {})
      const ended = new Promise<void>(done => socket.on('close', () => done()))
      socket.write(frame.PREFACE)
      resolve({
        socket,
        ended,
        send(type, flags, stream, payload = Buffer.alloc(0)) {
          const head = Buffer.alloc(9)
          frame.writeHead(head, 0, payload.length, type, flags, stream)
          socket.write(Buffer.concat([head, payload]))
        },
        next(type) {
          const at = heard.findIndex(each => each.type === type)
          if (at >= 0) return Promise.resolve(heard.splice(at, 1)[0]!.payload)
          return new Promise(give => waiting.push({ type, give }))
        },
      })
    })
  })
}

/** A block without anything from a table. */
function block(headers: Record<string, string>): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(headers)) {
    parts.push(Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value))
  }
  return Buffer.concat(parts)
}
const GET = block({ ':method': 'GET', ':scheme': 'https', ':path': '/none' })
const SILENT = block({ ':method': 'GET', ':scheme': 'https', ':path': '/silent' })
const POST = block({ ':method': 'POST', ':scheme': 'https', ':path': '/echo', 'content-length': '5' })
const { DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE } = frame
const number = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

type Raw = Awaited<ReturnType<typeof raw>>
const faults: [string, number, (client: Raw) => void][] = [
  ['data of no stream', 1, client => client.send(DATA, 0, 1)],
  ['data of the connection', 1, client => client.send(DATA, 0, 0)],
  ['going away with a stream', 1, client => client.send(GOAWAY, 0, 1, Buffer.alloc(8))],
  ['a priority of no stream', 1, client => client.send(frame.PRIORITY, 0, 0, Buffer.alloc(5))],
  ['a stream of even number', 1, client => client.send(HEADERS, END_HEADERS | END_STREAM, 2, GET)],
  ['a frame that is too large', 6, client => client.send(DATA, 0, 1, Buffer.alloc(16_385))],
  [
    'headers that are not finished',
    1,
    client => {
      client.send(HEADERS, 0, 1, GET)
      client.send(PING, 0, 0, Buffer.alloc(8))
    },
  ],
  ['a continuation of nothing', 1, client => client.send(frame.CONTINUATION, END_HEADERS, 1, GET)],
  [
    'headers without end',
    11,
    client => {
      client.send(HEADERS, 0, 1, GET)
      for (let at = 0; at < 20; at++) client.send(frame.CONTINUATION, 0, 1, Buffer.alloc(16_000))
    },
  ],
  [
    'a block that is none',
    9,
    client => client.send(HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])),
  ],
  ['more padding than frame', 1, client => client.send(HEADERS, END_HEADERS | PADDED, 1, Buffer.from([9, 1, 2]))],
  ['a ping of 7 bytes', 6, client => client.send(PING, 0, 0, Buffer.alloc(7))],
  ['settings of 5 bytes', 6, client => client.send(SETTINGS, 0, 0, Buffer.alloc(5))],
  ['a window by nothing', 1, client => client.send(WINDOW_UPDATE, 0, 0, number(0))],
  ['a window that overflows', 3, client => client.send(WINDOW_UPDATE, 0, 0, number(2 ** 31 - 1))],
  ['a push', 1, client => client.send(frame.PUSH_PROMISE, END_HEADERS, 1, GET)],
  [
    'streams that are broken off at once',
    11,
    client => {
      for (let at = 0; at < 1200; at++) {
        client.send(HEADERS, END_HEADERS | END_STREAM, 2 * at + 1, SILENT)
        client.send(RST_STREAM, 0, 2 * at + 1, number(8))
      }
    },
  ],
  [
    'pings without end',
    11,
    client => {
      for (let at = 0; at < 12_000; at++) client.send(PING, 0, 0, Buffer.alloc(8))
    },
  ],
  [
    'data of nothing without end',
    11,
    client => {
      client.send(HEADERS, END_HEADERS, 1, block({ ':method': 'POST', ':scheme': 'https', ':path': '/echo' }))
      for (let at = 0; at < 12_000; at++) client.send(DATA, 0, 1)
    },
  ],
]
for (const [what, code, act] of faults) {
  test(`createSession ends a connection for ${what}`, async () => {
    const client = await raw()
    client.send(SETTINGS, 0, 0)
    act(client)
    const goAway = await client.next(GOAWAY)
    assert.equal(goAway.readUInt32BE(8), code)
    await client.ended
  })
}

const refusals: [string, number, (client: Raw) => void][] = [
  [
    'a request that breaks the rules',
    1,
    client => client.send(HEADERS, END_HEADERS | END_STREAM, 1, block({ ':method': 'GET', ':path': '/' })),
  ],
  [
    'a body longer than was announced',
    1,
    client => {
      client.send(HEADERS, END_HEADERS, 1, POST)
      client.send(DATA, END_STREAM, 1, Buffer.alloc(6))
    },
  ],
  [
    'a body shorter than was announced',
    1,
    client => {
      client.send(HEADERS, END_HEADERS, 1, POST)
      client.send(DATA, END_STREAM, 1, Buffer.alloc(4))
    },
  ],
  ['a body that was announced and does not come', 1, client => client.send(HEADERS, END_HEADERS | END_STREAM, 1, POST)],
  [
    'data behind the end',
    5,
    client => {
      client.send(HEADERS, END_HEADERS | END_STREAM, 1, SILENT)
      client.send(DATA, 0, 1, Buffer.alloc(1))
    },
  ],
]
for (const [what, code, act] of refusals) {
  test(`createSession refuses ${what}, and goes on`, async () => {
    const client = await raw()
    client.send(SETTINGS, 0, 0)
    act(client)
    assert.equal((await client.next(RST_STREAM)).readUInt32BE(4), code)
    client.send(HEADERS, END_HEADERS | END_STREAM, 99, GET)
    for (;;) if ((await client.next(HEADERS)).readUInt32BE(0) === 99) break
    client.socket.destroy()
  })
}

test('createSession reads frames in any pieces, with padding, priorities and trailers', async () => {
  const client = await raw()
  const whole: Buffer[] = []
  const write = client.socket.write.bind(client.socket)
  client.socket.write = (chunk: Buffer) => whole.push(chunk) > 0
  client.send(SETTINGS, 0, 0)
  const padded = (payload: Buffer) => Buffer.concat([Buffer.from([3]), payload, Buffer.alloc(3)])
  const priority = Buffer.from([0, 0, 0, 0, 16])
  client.send(HEADERS, PADDED | frame.WITH_PRIORITY, 1, padded(Buffer.concat([priority, POST.subarray(0, 20)])))
  client.send(frame.CONTINUATION, END_HEADERS, 1, POST.subarray(20))
  client.send(DATA, PADDED, 1, padded(Buffer.from('hel')))
  client.send(DATA, 0, 1, Buffer.from('lo'))
  client.send(HEADERS, END_HEADERS | END_STREAM, 1, block({ 'x-trailer': 'a' }))
  const bytes = Buffer.concat(whole)
  client.socket.write = write
  for (let at = 0; at < bytes.length; at += 3) {
    client.socket.write(bytes.subarray(at, at + 3))
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal((await client.next(DATA)).subarray(4).toString(), 'hello')
  client.socket.destroy()
})

test('createSession answers 431 to too many headers', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`x-${at}`, 'y'.repeat(50)]))
  const bytes = Buffer.concat([GET, block(many)])
  client.send(HEADERS, END_STREAM, 1, bytes.subarray(0, 16_000))
  for (let at = 16_000; at < bytes.length; at += 16_000) {
    const last = at + 16_000 >= bytes.length ? END_HEADERS : 0
    client.send(frame.CONTINUATION, last, 1, bytes.subarray(at, at + 16_000))
  }
  const head = Buffer.from(await client.next(HEADERS))
  assert.ok(head.subarray(4).equals(new HeaderEncoder().encode(431, {})))
  client.socket.destroy()
})

test('createSession refuses more streams than it allows, and serves again when some are over', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  for (let at = 0; at <= 1000; at++) client.send(HEADERS, END_HEADERS | END_STREAM, 2 * at + 1, SILENT)
  const refused = await client.next(RST_STREAM)
  assert.deepEqual([refused.readUInt32BE(0), refused.readUInt32BE(4)], [2001, 7])
  client.send(RST_STREAM, 0, 1, number(8))
  client.send(HEADERS, END_HEADERS | END_STREAM, 2003, GET)
  for (;;) if ((await client.next(HEADERS)).readUInt32BE(0) === 2003) break
  client.socket.destroy()
})

test('createSession gives back the room of what nobody reads', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  const body = block({ ':method': 'POST', ':scheme': 'https', ':path': '/none' })
  // Much more than the connection's window, in bodies that are not asked for.
  for (let at = 0; at < 600; at++) {
    client.send(HEADERS, END_HEADERS, 2 * at + 1, body)
    client.send(DATA, END_STREAM, 2 * at + 1, Buffer.alloc(16_000))
    if (at % 100 === 99) await client.next(HEADERS)
    if (at % 200 === 199) await client.next(WINDOW_UPDATE)
  }
  client.send(PING, 0, 0, Buffer.from('12345678'))
  assert.equal((await client.next(PING)).subarray(4).toString(), '12345678')
  client.socket.destroy()
})

test('createSession tells who takes a body that it ended before its announced length', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  streams.length = 0
  const head = { ':method': 'POST', ':scheme': 'https', ':path': '/silent', 'content-length': '10' }
  client.send(HEADERS, END_HEADERS, 1, block(head))
  await client.next(HEADERS)
  const told: string[] = []
  streams[0]!.take({
    data: chunk => void told.push(chunk.toString()),
    end: () => told.push('end'),
    aborted: () => told.push('aborted'),
  })
  client.send(DATA, END_STREAM, 1, Buffer.from('short'))
  await client.next(RST_STREAM)
  assert.deepEqual(told, ['short', 'aborted'])
  client.socket.destroy()
})

test('createSession tells a handler that its client has gone', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  streams.length = 0
  client.send(HEADERS, END_HEADERS, 1, POST)
  client.send(HEADERS, END_HEADERS | END_STREAM, 3, SILENT)
  await client.next(HEADERS)
  const gone = Promise.all(
    streams.map(
      stream =>
        new Promise<void>(resolve => {
          stream.onClose = resolve
        }),
    ),
  )
  client.socket.destroy()
  await gone
  assert.ok(streams.length === 2 && streams.every(stream => stream.closed))
})

test('createSession ends a connection that is idle, and none with a stream', async () => {
  const client = await raw()
  client.send(SETTINGS, 0, 0)
  client.send(HEADERS, END_HEADERS | END_STREAM, 1, SILENT)
  await client.next(HEADERS)
  const quiet = await raw()
  quiet.send(SETTINGS, 0, 0)
  quiet.send(PING, 0, 0, Buffer.alloc(8))
  await quiet.next(PING)
  await clock.advance(3 * IDLE)
  assert.equal((await quiet.next(GOAWAY)).readUInt32BE(8), 0)
  await quiet.ended
  client.send(RST_STREAM, 0, 1, number(8))
  client.send(PING, 0, 0, Buffer.alloc(8))
  await client.next(PING)
  await clock.advance(3 * IDLE)
  assert.equal((await client.next(GOAWAY)).readUInt32BE(8), 0)
  await client.ended
})

test('createSession leaves no timer behind when its client goes away from a stream', async t => {
  const own = virtualClock()
  const over = Promise.withResolvers<void>()
  const listening = createServer(socket => {
    createSession(socket, { clock: own, idleMs: IDLE, onStream: answer, onClose: over.resolve })
  })
  t.after(() => listening.close())
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`)
  const stream = client.request({ ':path': '/silent' })
  stream.on('error', () => {})
  await new Promise(resolve => stream.on('response', resolve))
  await own.advance(2 * IDLE)
  client.destroy()
  await over.promise
  assert.equal(own.nextDue(), undefined)
})

test('createSession lets what runs come to its end when it closes', async () => {
  let session: ReturnType<typeof createSession> | undefined
  let open: ServerStream | undefined
  const own = createServer(socket => {
    session = createSession(socket, {
      clock: realClock,
      idleMs: 60_000,
      onStream(stream) {
        open = stream
        stream.respond(200, {})
        session!.close()
      },
      onClose() {},
    })
  })
  await new Promise<void>(resolve => own.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(own.address() as AddressInfo).port}`)
  const stream = client.request({ ':path': '/' })
  stream.setEncoding('utf8')
  await new Promise(resolve => client.on('goaway', resolve))
  open!.end(Buffer.from('the end'))
  let text = ''
  for await (const chunk of stream) text += chunk
  assert.equal(text, 'the end')
  await new Promise<void>(resolve => (client.closed ? resolve() : client.on('close', () => resolve())))
  own.close()
})
