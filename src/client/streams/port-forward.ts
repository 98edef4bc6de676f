/**
 * Port-forward between a client and a pod's ports: over SPDY streams (its own connection, or tunnelled in WebSocket
 * messages), two for every connection, and over plain WebSocket channels, two for every port.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { closing, type Link, writeTo } from './link.ts'
import { createPipe, type Pipe } from './pipe.ts'
import { type SpdyStream, serveSpdy } from './spdy.ts'
import type { WebSocketConnection } from './websocket.ts'

/** Subprotocol of both SPDY forms. */
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io'
/** Offered over WebSocket: SPDY inside binary messages (KEP-4006). */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'
/** Offered over WebSocket: channels. */
export const CHANNEL_PROTOCOLS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', ''] as const

/** Connects to a port of the pod. Its error's message is what the user reads. */
export type Connect = (port: number) => Promise<Duplex>

/** A client opens the second stream of a pair right after the first; then it has this long, in ms. */
const PAIR_TIMEOUT = 30_000
const WAITING_LIMIT = 1024 * 1024

/** Copies both ways until both sides have ended, or either broke. Resolves with the sentence of what went wrong. */
async function copy(
  connection: Duplex,
  incoming: AsyncIterable<Buffer>,
  write: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<string | undefined> {
  let failure: string | undefined
  connection.on('error', (error: Error) => {
    failure = error.message
  })
  const gone = closing(connection)
  const cut = () => connection.destroy()
  signal.addEventListener('abort', cut, { once: true })
  const upload = async () => {
    for await (const chunk of incoming) {
      if (gone.aborted) return
      await writeTo(connection, chunk)
    }
    if (!connection.destroyed) connection.end()
  }
  const download = async () => {
    try {
      for await (const chunk of connection) await write(chunk as Buffer)
    } catch {
      // Told by `failure`.
    }
  }
  void upload()
  // The pod's end decides: a client that has finished sending still waits for its answer.
  await download()
  signal.removeEventListener('abort', cut)
  connection.destroy()
  return failure
}

interface Pair {
  data?: SpdyStream
  error?: SpdyStream
}

async function forwardPair(pair: Required<Pair>, connect: Connect, signal: AbortSignal): Promise<void> {
  const { data, error } = pair
  const port = Number(data.headers.port)
  let failure: string | undefined
  try {
    const connection = await connect(port)
    failure = await copy(connection, data.incoming, chunk => data.write(chunk), signal)
  } catch (cause) {
    failure = (cause as Error).message
  }
  if (failure !== undefined) await error.write(Buffer.from(`error forwarding port ${port}: ${failure}`))
  await error.end()
  if (failure === undefined) await data.end()
  else data.reset()
}

/** Serves port-forward over SPDY until the connection ends. */
export async function forwardOverSpdy(link: Link, connect: Connect, clock: Clock): Promise<void> {
  const pairs = new Map<string, Pair>()
  const session = serveSpdy(link, stream => {
    const { streamtype: type, requestid: request = stream.headers.port ?? '', port } = stream.headers
    if (type !== 'data' && type !== 'error') throw new Error(`stream type ${type} is not data or error`)
    if (!/^\d{1,5}$/.test(port ?? '') || Number(port) < 1 || Number(port) > 65535)
      throw new Error(`port ${port} is not a port`)
    // Nothing comes on the error stream; what does is dropped.
    if (type === 'error') void drain(stream.incoming)
    const pair = pairs.get(request) ?? {}
    pair[type] = stream
    if (pair.data && pair.error) {
      pairs.delete(request)
      void forwardPair({ data: pair.data, error: pair.error }, connect, session.signal)
    } else {
      pairs.set(request, pair)
      clock.after(PAIR_TIMEOUT, () => {
        if (pairs.get(request) !== pair) return
        pairs.delete(request)
        stream.reset()
      })
    }
  })
  await session.done
}

async function drain(incoming: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of incoming);
}

/** Serves port-forward over WebSocket channels: data on 2i and errors on 2i+1 for the i-th of `ports`. */
export async function forwardOverChannels(
  socket: WebSocketConnection,
  base64: boolean,
  ports: readonly number[],
  connect: Connect,
): Promise<void> {
  const send = (channel: number, data: Uint8Array) =>
    base64
      ? socket.send(true, Buffer.from(channel + Buffer.from(data).toString('base64')))
      : socket.send(false, Buffer.of(channel), data)
  const inputs: Pipe<Buffer>[] = ports.map(() => createPipe<Buffer>(WAITING_LIMIT))
  const forward = async (at: number): Promise<void> => {
    const port = ports[at]!
    const number = Buffer.of(port & 0xff, port >>> 8)
    await send(at * 2, number)
    await send(at * 2 + 1, number)
    let failure: string | undefined
    try {
      const connection = await connect(port)
      failure = await copy(connection, inputs[at]!, chunk => send(at * 2, chunk), socket.signal)
    } catch (cause) {
      failure = (cause as Error).message
    }
    inputs[at]!.cancel()
    if (failure !== undefined) await send(at * 2 + 1, Buffer.from(`error forwarding port ${port}: ${failure}`))
  }
  const read = async () => {
    for await (const { data } of socket.messages) {
      if (data.length === 0) continue
      const channel = base64 ? data[0]! - 0x30 : data[0]!
      const bytes = base64 ? Buffer.from(data.toString('latin1', 1), 'base64') : data.subarray(1)
      if (channel % 2 === 0) await inputs[channel / 2]?.push(bytes)
    }
    for (const input of inputs) input.end()
  }
  void read()
  await Promise.all(ports.map((_, at) => forward(at)))
  socket.close()
}
