/**
 * Names outside the cluster: asked of the name servers that the cluster's settings name for them, else of the machine's
 * own, as its resolv.conf names them.
 */
import { createSocket, type Socket } from 'node:dgram'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { type DnsSettings, type NameServer, serversFor } from './settings.ts'
import { framed, unframed } from './tcp-frames.ts'

/** Milliseconds after which the next server is asked. */
const PATIENCE = 1500
/** Milliseconds for which a server that did not answer is asked after the others. */
const DISTRUST = 30_000
/** What a server says that could not answer, where another may: SERVFAIL, NOTIMP, REFUSED. */
const UNABLE: ReadonlySet<number> = new Set([2, 4, 5])
/** Where a machine's own servers listen. */
const PORT = 53

export interface Upstream {
  /** Asks about `name`. Resolves with the answer packet, with the id of the query; undefined when no server answers. */
  ask(query: Buffer, name: string, tcp: boolean): Promise<Buffer | undefined>
  close(): void
}

/** The name servers of a resolv.conf, without those that are the cluster's own. */
export function nameServers(text: string, own: readonly string[]): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(match => match[1]!).filter(each => !own.includes(each))
}

function askUdp({ address, port }: NameServer, query: Buffer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket: Socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
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
    socket.connect(port, address, (error?: Error) => (error ? finish() : socket.send(query)))
  })
}

function askTcp({ address, port }: NameServer, query: Buffer, clock: Clock): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket = connect(port, address)
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
      const [answer] = unframed(read).messages
      if (answer) finish(answer)
    })
    socket.write(framed(query))
  })
}

export interface UpstreamOptions {
  /** The machine's resolv.conf. */
  readonly file: string
  /** Addresses of the cluster's DNS itself: asking those would go in a circle. */
  readonly own: readonly string[]
  settings(): DnsSettings
}

/** Makes the way out. The file is read again when it has changed, at the next query. */
export function createUpstream(
  { file, own, settings }: UpstreamOptions,
  { clock }: { readonly clock: Clock },
): Upstream {
  let ofMachine: readonly NameServer[] = []
  let changed = -1
  let closed = false
  /** When each server last did not answer. */
  const silent = new Map<string, number>()
  const nameOf = ({ address, port }: NameServer) => `${address} ${port}`

  function machine(): readonly NameServer[] {
    try {
      const { mtimeMs } = statSync(file)
      if (mtimeMs !== changed)
        ofMachine = nameServers(readFileSync(file, 'utf8'), own).map(address => ({ address, port: PORT }))
      changed = mtimeMs
    } catch {
      ofMachine = []
    }
    return ofMachine
  }
  const isDistrusted = (server: NameServer) => clock.elapsed() - (silent.get(nameOf(server)) ?? -Infinity) < DISTRUST

  return {
    async ask(query, name, tcp) {
      const servers = serversFor(settings(), name) ?? machine()
      const [last, first] = [servers.filter(isDistrusted), servers.filter(each => !isDistrusted(each))]
      let refusal: Buffer | undefined
      for (const server of [...first, ...last]) {
        if (closed) return undefined
        const answer = await (tcp ? askTcp : askUdp)(server, query, clock)
        if (!answer) {
          silent.set(nameOf(server), clock.elapsed())
          continue
        }
        silent.delete(nameOf(server))
        if (!UNABLE.has(answer[3]! & 15)) return answer
        refusal ??= answer
      }
      return refusal
    },
    close() {
      closed = true
    },
  }
}
