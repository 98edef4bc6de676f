/** Connections to backends in HTTP/1.1, kept for the next request. */
import type { Clock } from '../../lib/clock.ts'
import type { Endpoint } from '../backends/backends.ts'
import type { Deadlines } from '../deadlines.ts'
import { BackendConnection } from './backend-connection.ts'
import { type Dial, dial as dialNow } from './dial.ts'
import { isQuiet } from './quiet.ts'
import type { Send } from './sending.ts'

export interface Connections {
  readonly send: Send
  /** No request will go to an endpoint any more: what is idle is closed. */
  drop(endpoint: Endpoint): void
  close(): void
}

export interface ConnectionDeps {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly dial?: Dial
}

/** Idle connections to one endpoint that are kept. */
const IDLE_MOST = 256
/**
 * What may be sent only once goes over a connection that was in use this short a time ago, in ms: no backend closes one
 * as idle that soon.
 */
const WARM_MS = 1_000
/** What a request line may consist of (RFC 9112, 3). */
const TARGET = /^[\x21-\x7e]+$/

/** Makes it, with no connection. */
export function openConnections({ clock, deadlines, dial = dialNow }: ConnectionDeps): Connections {
  /** Those of an endpoint, the last used at the end. */
  const idle = new Map<Endpoint, BackendConnection[]>()
  const dropped = new WeakSet<Endpoint>()
  const deps = {
    ...{ clock, deadlines },
    idle(connection: BackendConnection) {
      const { endpoint } = connection
      let own = idle.get(endpoint)
      if (!own) idle.set(endpoint, (own = []))
      if (dropped.has(endpoint) || own.length >= IDLE_MOST) connection.destroy()
      else own.push(connection)
    },
  }

  /** A kept connection; with `once` only one that is as good as a new one. */
  function kept(endpoint: Endpoint, once: boolean): BackendConnection | undefined {
    const own = idle.get(endpoint)
    for (let connection = own?.pop(); connection; connection = own?.pop()) {
      if (!connection.stands) continue
      if (!once) return connection
      if (clock.elapsed() - connection.idleSince > WARM_MS) {
        // The others are older.
        own?.push(connection)
        return undefined
      }
      if (isQuiet(connection.socket)) return connection
      connection.destroy()
    }
    return undefined
  }

  return {
    send(endpoint, outgoing, events) {
      if (!TARGET.test(outgoing.path)) throw new Error('the path has characters that no request line may have')
      dropped.delete(endpoint)
      const connection =
        (outgoing.fresh ? undefined : kept(endpoint, outgoing.once)) ??
        new BackendConnection(dial(endpoint), endpoint, deps)
      connection.begin(outgoing, events)
      return connection
    },
    drop(endpoint) {
      dropped.add(endpoint)
      for (const connection of idle.get(endpoint) ?? []) connection.destroy()
      idle.delete(endpoint)
    },
    close() {
      for (const own of idle.values()) for (const connection of own) connection.destroy()
      idle.clear()
    },
  }
}
