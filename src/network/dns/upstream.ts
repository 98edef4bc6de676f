/** Names outside the cluster: asked of the machine's own name servers, as its resolv.conf names them. */
import { createSocket, type Socket } from 'node:dgram'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import type { Clock } from '../../lib/clock.ts'

/** Milliseconds after which the next server is asked. */
const PATIENCE = 1500

export interface Upstream {
  /** Resolves with the answer packet, with the id of the query; undefined when no server answers. */
  ask(query: Buffer, tcp: boolean): Promise<Buffer | undefined>
  close(): void
}

/** The name servers of a resolv.conf, without those that are the cluster's own. */
export function nameServers(text: string, own: readonly string[]): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(match => match[1]!).filter(each => !own.includes(each))
}

function askUdp(server: string, query: Buffer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket: Socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
    const finish = (answer?: Buffer) => {
      timer.cancel()
      socket.removeAllListeners().on('error', () => {})
      try {
        socket.close()
      } catch {}
      resolve(answer)
    }
    const timer = clock.after(PATIENCE, () => finish())
    // A socket of its own for each query, connected: the port is random and other senders are not heard.
    socket.once('error', () => finish())
    socket.on('message', message => {
      if (message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0)) finish(message)
    })
    // A failed connect calls back, too, with its error.
    socket.connect(53, server, (error?: Error) => (error ? finish() : socket.send(query)))
  })
}

function askTcp(server: string, query: Buffer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket = connect(53, server)
    let read: Buffer = Buffer.alloc(0)
    const finish = (answer?: Buffer) => {
      timer.cancel()
      socket.destroy()
      resolve(answer)
    }
    const timer = clock.after(PATIENCE, () => finish())
    socket.once('error', () => finish())
    socket.once('close', () => finish())
    socket.on('data', (data: Buffer) => {
      read = Buffer.concat([read, data])
      if (read.length >= 2 && read.length >= 2 + read.readUInt16BE(0))
        finish(read.subarray(2, 2 + read.readUInt16BE(0)))
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
  })
}

/** Makes the way out. The file is read again when it has changed, at the next query. */
export function createUpstream(
  options: { readonly file: string; readonly own: readonly string[] },
  { clock }: { readonly clock: Clock },
): Upstream {
  let servers: readonly string[] = []
  let changed = -1
  let closed = false
  function current(): readonly string[] {
    try {
      const { mtimeMs } = statSync(options.file)
      if (mtimeMs !== changed) servers = nameServers(readFileSync(options.file, 'utf8'), options.own)
      changed = mtimeMs
    } catch {
      servers = []
    }
    return servers
  }
  return {
    async ask(query, tcp) {
      for (const server of current()) {
        if (closed) return undefined
        const answer = await (tcp ? askTcp : askUdp)(server, query, clock)
        if (answer) return answer
      }
      return undefined
    },
    close() {
      closed = true
    },
  }
}
