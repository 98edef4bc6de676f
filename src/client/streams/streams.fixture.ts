/** What the tests of streams share: a server for one upgraded connection, and a SPDY client of a few lines. */
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { headerCoder } from './spdy-headers.ts'

/** A pair of connected sockets on loopback. */
export async function socketPair(): Promise<{ client: Socket; server: Socket; close(): void }> {
  const listener = createServer({ allowHalfOpen: true })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const accepted = new Promise<Socket>(resolve => listener.once('connection', resolve))
  const client = connect(port, '127.0.0.1')
  const server = await accepted
  listener.close()
  return {
    client,
    server,
    close() {
      client.destroy()
      server.destroy()
    },
  }
}

export interface ClientFrame {
  readonly type: number
  readonly id: number
  readonly flags: number
  readonly body: Buffer
}

/** Speaks the client's half of SPDY over a socket. */
export function spdyClient(socket: Duplex) {
  const coder = headerCoder()
  const frames: ClientFrame[] = []
  let pending = Buffer.alloc(0)
  let wake = () => {}
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 8 && pending.length >= 8 + pending.readUIntBE(5, 3)) {
      const end = 8 + pending.readUIntBE(5, 3)
      const control = (pending[0]! & 0x80) !== 0
      const body = pending.subarray(8, end)
      frames.push({
        type: control ? pending.readUInt16BE(2) : 0,
        id: control ? (body.length >= 4 ? body.readUInt32BE(0) : 0) : pending.readUInt32BE(0),
        flags: pending[4]!,
        body,
      })
      pending = pending.subarray(end)
    }
    wake()
  })
  const send = (first: number, flags: number, body: Buffer) => {
    const header = Buffer.alloc(8)
    header.writeUInt32BE(first >>> 0, 0)
    header[4] = flags
    header.writeUIntBE(body.length, 5, 3)
    socket.write(Buffer.concat([header, body]))
  }
  return {
    frames,
    async open(id: number, headers: Record<string, string>, flags = 0) {
      const start = Buffer.alloc(10)
      start.writeUInt32BE(id, 0)
      send(0x80030001, flags, Buffer.concat([start, await coder.encode(headers)]))
    },
    data: (id: number, text: string | Buffer, flags = 0) => send(id, flags, Buffer.from(text as string)),
    ping: (id: number) => {
      const body = Buffer.alloc(4)
      body.writeUInt32BE(id, 0)
      send(0x80030006, 0, body)
    },
    /** Waits until `found` holds for the frames so far. */
    async until(found: (frames: readonly ClientFrame[]) => boolean) {
      while (!found(frames))
        await new Promise<void>(resolve => {
          wake = resolve
        })
    },
    /** Everything that came on a stream, as text. */
    received: (id: number) =>
      Buffer.concat(frames.filter(frame => frame.type === 0 && frame.id === id).map(frame => frame.body)).toString(),
    ended: (id: number) => frames.some(frame => frame.type === 0 && frame.id === id && (frame.flags & 1) === 1),
  }
}
