/**
 * One aggregated server, as its APIService describes it: connections to an endpoint of its service, kept for the next
 * request, over TLS that proves both sides.
 */

import type { ClientRequest, Agent as HttpAgent, IncomingMessage, RequestOptions } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import { readBody } from '../../lib/bounded-body.ts'
import { hostPort } from '../../lib/host-port.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import { networkErrorText } from '../proxy/network-error.ts'
import type { ServiceAddress } from '../services/endpoint.ts'
import { identityHeaders } from './identity-headers.ts'

export interface RemoteDeps {
  /** Finds an address behind the service. Throws StatusError. */
  resolve(namespace: string, name: string, port: number): ServiceAddress
  dial(address: ServiceAddress): Promise<Duplex>
  /** What this server shows for itself; nothing when absent. */
  client?(): Promise<KeyPair>
}

export interface RemoteAnswer {
  /** Address and port that were asked. */
  readonly host: string
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export interface RemoteServer {
  /** Chooses an endpoint now; requests through what it gives go there. Throws StatusError where there is none. */
  choose(): { readonly host: string; open(options: RequestOptions): ClientRequest }
  /** Asks for a document as `user`, within `timeoutMs`. Rejects with a sentence that names the address. */
  get(path: string, user: UserInfo, headers: Record<string, string>, timeoutMs: number): Promise<RemoteAnswer>
  /** Lets go of the connections that are kept. */
  close(): void
}

/** Endpoints that are remembered; more than a service has at a time. */
const ADDRESS_LIMIT = 1_000
/** Documents of this size and more, in bytes, are no discovery. */
const DOCUMENT_LIMIT = 64 << 20

const textOf = async (response: IncomingMessage) => String(await readBody(response, DOCUMENT_LIMIT))

/** Makes one; nothing is connected yet. */
export function remoteServer({ resolve, dial, client }: RemoteDeps, { spec }: APIService): RemoteServer {
  const { namespace = '', name = '', port = 443 } = spec?.service ?? {}
  const servername = `${name}.${namespace}.svc`
  const ca = spec?.caBundle ? Buffer.from(spec.caBundle, 'base64').toString() : undefined
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 16 })

  async function connect(address: ServiceAddress): Promise<Duplex> {
    const [own, socket] = await Promise.all([client?.(), dial(address)])
    return connectTls({
      socket,
      servername,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: !spec?.insecureSkipTLSVerify,
      ...(ca && { ca }),
      ...(own && { cert: own.certificate, key: own.key }),
    })
  }
  const addresses = new Map<string, ServiceAddress>()
  const keyOf = ({ host, port }: Pick<ServiceAddress, 'host' | 'port'>) => `${host} ${port}`
  // Sockets are kept by host and port: how one is opened stands apart.
  Object.assign(agent, {
    createConnection(options: { host: string; port: number }, done: (error: Error | null, socket?: Duplex) => void) {
      const address = addresses.get(keyOf(options)) ?? { host: options.host, port: options.port }
      connect(address).then(
        socket => done(null, socket),
        error => done(error as Error),
      )
    },
  } satisfies Partial<Record<keyof HttpAgent, unknown>>)

  function choose() {
    const address = resolve(namespace, name, port)
    if (addresses.size > ADDRESS_LIMIT) addresses.clear()
    addresses.set(keyOf(address), address)
    const host = hostPort(address.host, address.port)
    const open = (options: RequestOptions) =>
      httpsRequest({ ...options, agent, host: address.host, port: address.port, servername, setHost: false })
    return { host, open }
  }

  async function get(path: string, user: UserInfo, headers: Record<string, string>, timeoutMs: number) {
    const { host, open } = choose()
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      return await new Promise<RemoteAnswer>((resolve, reject) => {
        const outgoing = open({ method: 'GET', path, headers: { host, ...headers, ...identityHeaders(user) }, signal })
        outgoing.on('error', reject)
        outgoing.on('response', response => {
          textOf(response).then(
            text => resolve({ host, status: response.statusCode ?? 0, headers: response.headers, text }),
            reject,
          )
        })
        outgoing.end()
      })
    } catch (cause) {
      const text = signal.aborted
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : networkErrorText(cause as Error)
      const url = `https://${host}${path}`
      throw new Error(`failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${text}`, { cause })
    }
  }

  return { choose, get, close: () => agent.destroy() }
}
