/** The cluster's DNS server: UDP and TCP on one port of the node's own address. */
import { createSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket } from 'node:net'
import packet, { type Answer } from 'dns-packet'
import type { Logger } from '../../lib/log.ts'
import { failure, type Handled, type Transfer } from './message.ts'
import { framed, unframed } from './tcp-frames.ts'
import type { Upstream } from './upstream.ts'

export interface DnsServer {
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

export interface DnsServerDeps {
  readonly handle: (bytes: Buffer, transfer: Transfer) => Handled
  readonly upstream: Upstream
  readonly logger: Logger
}

/** Bytes that a TCP client may send before it has said a whole query. */
const LONGEST_QUERY = 65_537

/**
 * Listens on `address`, at `port` or, where that is taken, at any; says which. Rejects when the address does not exist.
 */
export async function startDnsServer(address: string, port: number, deps: DnsServerDeps): Promise<DnsServer> {
  const { handle, upstream, logger } = deps

  async function follow(handled: Extract<Handled, { kind: 'follow' }>, { tcp }: Transfer): Promise<Buffer> {
    const query = packet.encode({
      type: 'query',
      id: Math.floor(Math.random() * 65_536),
      flags: packet.RECURSION_DESIRED,
      questions: [{ type: handled.type as 'A', name: handled.target }],
    })
    const answer = await upstream.ask(query, handled.target, tcp)
    try {
      return handled.finish(answer ? ((packet.decode(answer).answers ?? []) as Answer[]) : [])
    } catch {
      return handled.finish([])
    }
  }

  async function answer(handled: Handled, transfer: Transfer): Promise<Buffer | undefined> {
    if (handled.kind === 'answer') return handled.bytes
    if (handled.kind === 'forward')
      return (await upstream.ask(handled.query, handled.question, transfer.tcp)) ?? failure(handled.query)
    return handled.kind === 'follow' ? follow(handled, transfer) : undefined
  }

  const udp = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 })
  udp.on('message', (bytes, { address: client, port: from }) => {
    const handled = handle(bytes, { tcp: false })
    // The common case answers in the same turn.
    if (handled.kind === 'answer') return udp.send(handled.bytes, from, client)
    answer(handled, { tcp: false }).then(reply => reply && udp.send(reply, from, client))
  })

  function serve(socket: Socket) {
    let read: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('data', (data: Buffer) => {
      read = Buffer.concat([read, data])
      if (read.length > LONGEST_QUERY) return socket.destroy()
      const { messages, rest } = unframed(read)
      read = rest
      for (const query of messages)
        answer(handle(query, { tcp: true }), { tcp: true }).then(reply => {
          if (reply && !socket.destroyed) socket.write(framed(reply))
        })
    })
  }
  const tcp = createServer(serve)

  const bindUdp = (at: number) =>
    new Promise<number>((resolve, reject) => {
      udp.once('error', reject)
      udp.bind(at, address, () => {
        udp.off('error', reject)
        resolve(udp.address().port)
      })
    })
  const bindTcp = (at: number) =>
    new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(at, address, () => {
        tcp.off('error', reject)
        resolve()
      })
    })

  const bound = await bindUdp(port).catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    logger.info({ address, port }, 'network: the port of the DNS server is taken, using another')
    return bindUdp(0)
  })
  await bindTcp(bound)
  udp.on('error', error => logger.warn({ err: error }, 'network: DNS'))
  // A server is not a reason to stay: the composition root decides that.
  udp.unref()
  tcp.unref()
  return {
    address,
    port: bound,
    close: () =>
      new Promise(resolve => {
        upstream.close()
        udp.close()
        tcp.close(() => resolve())
      }),
  }
}
