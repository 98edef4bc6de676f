/** A server behind the proxy, reached over a connection that somebody else knows how to open. */
import type { RequestOptions } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { http } from '../../lib/http.ts'

export interface Connector {
  /** Opens the connection under the request. */
  dial(): Promise<Duplex>
  /** The server speaks TLS; its certificate is not judged. */
  readonly tls: boolean
}

async function connection({ dial, tls }: Connector): Promise<Duplex> {
  const socket = await dial()
  return tls ? connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : socket
}

/** Begins a request over a connection of its own. */
export function openOver(connector: Connector, options: RequestOptions) {
  return http.request({
    ...options,
    setHost: false,
    createConnection: (_options, done) => {
      connection(connector).then(
        socket => done(null, socket),
        error => done(error as Error, undefined as never),
      )
      return undefined
    },
  })
}
