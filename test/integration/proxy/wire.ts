/** A whole API server on a TLS port, with an admin's certificate, for tests of what happens on the wire. */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Audit } from '../../../src/apiserver/audit/audit.ts'
import { startServer, type TestServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import type { KeyPair } from '../../../src/lib/pki/certificate.ts'
import { makeTrust } from '../../../src/lib/pki/trust.fixture.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'

export interface WireReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

export interface WireServer extends TestServer {
  readonly port: number
  readonly authority: KeyPair
  /** What the admin's connections are made with. */
  readonly admin: { readonly ca: string; readonly cert: string; readonly key: string }
  /** Sends a request over HTTP/1.1 as the cluster's admin. */
  fetch(method: string, path: string, body?: string, headers?: Record<string, string>): Promise<WireReply>
  /** Asks for an upgrade; the reply where it was refused. */
  upgrade(path: string, headers: Record<string, string>): Promise<{ socket: Duplex; head: Buffer } | WireReply>
  close(): Promise<void>
}

/** Node says it by itself for some methods only. */
const length = (body: string | undefined) => (body === undefined ? {} : { 'content-length': Buffer.byteLength(body) })

/** Starts one, at the machine's time. */
export async function startWire(
  options: {
    extend?(authority: KeyPair): NonNullable<Parameters<typeof startServer>[0]>['extensions']
    audit?: Audit
  } = {},
): Promise<WireServer> {
  const { authority, server: own, client: issueClient } = await makeTrust()
  const client = await issueClient('kubernetes-admin', 'system:masters')
  const server = await startServer({
    clock: virtualClock(Date.now()),
    ...(options.audit && { audit: options.audit }),
    ...(options.extend && { extensions: options.extend(authority)! }),
  })
  const tls = { key: own.key, cert: own.certificate, clientCa: authority.certificate }
  const { port } = await server.server.listen({ hosts: ['127.0.0.1'], port: 0, tls })
  const agent = new Agent({ keepAlive: true })
  const credentials = { ca: authority.certificate, cert: client.certificate, key: client.key }
  const base: RequestOptions = { host: '127.0.0.1', port, agent, ...credentials }
  const reply = async (response: IncomingMessage): Promise<WireReply> => {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    return { status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() }
  }
  return {
    ...server,
    port,
    authority,
    admin: credentials,
    fetch: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest({ ...base, method, path, headers: { ...length(body), ...headers } }, response =>
          reply(response).then(resolve, reject),
        )
        request.on('error', reject)
        request.end(body)
      }),
    upgrade: (path, headers) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest({ ...base, agent: false, path, headers })
        request.on('upgrade', (_response, socket, head) => resolve({ socket, head }))
        request.on('response', response => reply(response).then(resolve, reject))
        request.on('error', reject)
        request.end()
      }),
    async close() {
      agent.destroy()
      await server.server.close()
    },
  }
}
