/** Requests to a kubelet's HTTPS: plain ones, and those that become a stream of bytes both ways. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { type Duplex, Readable } from 'node:stream'
import { badRequest, internalError, notFound, type StatusError } from '../../api/machinery/status-error.ts'
import { type Link, socketLink } from '../../client/streams/link.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'

/** Where a kubelet listens. */
export interface KubeletAddress {
  readonly node: string
  readonly host: string
  readonly port: number
}

/** What this server shows, and whom it trusts. */
export interface KubeletTrust {
  /** PEM of the authority that signed the nodes' serving certificates. */
  readonly authority: string
  /** The client that this server is to nodes. */
  client(): Promise<KeyPair>
}

export interface KubeletRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly signal?: AbortSignal
  readonly body?: AsyncIterable<Uint8Array>
}

/** A node that does not answer is given up after so long, in ms. */
const CONNECT_TIMEOUT = 10_000
/** Of an answer that tells an error. */
const LONGEST_ERROR = 64 * 1024

async function optionsFor(address: KubeletAddress, request: KubeletRequest, trust: KubeletTrust) {
  const { certificate, key } = await trust.client()
  return {
    host: address.host,
    port: address.port,
    method: request.method,
    path: request.path,
    ca: trust.authority,
    cert: certificate,
    key,
    agent: false,
    timeout: CONNECT_TIMEOUT,
    ...(request.signal && { signal: request.signal }),
  } satisfies RequestOptions
}

const unreachable = ({ node, host, port }: KubeletAddress, cause: Error) =>
  internalError(new Error(`node ${JSON.stringify(node)} cannot be reached at ${host}:${port}: ${cause.message}`))

/** Gives up a connection that does not come about; one that stands may be quiet for as long as it likes. */
function whileConnecting(message: ClientRequest) {
  message.on('timeout', () => message.destroy(new Error('i/o timeout')))
  message.on('socket', socket => socket.once('secureConnect', () => message.setTimeout(0)))
}

/** Sends a request; resolves with the answer, whose body has not been read. Rejects with a StatusError. */
export async function askKubelet(
  address: KubeletAddress,
  request: KubeletRequest,
  trust: KubeletTrust,
): Promise<IncomingMessage> {
  const [{ request: send }, options] = await Promise.all([import('node:https'), optionsFor(address, request, trust)])
  return new Promise((resolve, reject) => {
    const message = send(options)
    whileConnecting(message)
    message.on('error', cause => reject(unreachable(address, cause)))
    message.on('response', response => {
      response.on('error', () => {})
      resolve(response)
    })
    if (!request.body) return void message.end()
    const body = Readable.from(request.body)
    body.on('error', cause => message.destroy(cause))
    body.pipe(message)
  })
}

/** The error that an answer tells. */
export async function errorOf(response: IncomingMessage, pod: string): Promise<StatusError> {
  let text = ''
  for await (const chunk of response) if (text.length < LONGEST_ERROR) text += String(chunk)
  text = text.trim()
  if (response.statusCode === 400) return badRequest(text)
  if (response.statusCode === 404) return notFound({ group: '', plural: 'pods' }, pod)
  return internalError(new Error(text || `the node answered ${response.statusCode}`))
}

/** Upgrades a connection to SPDY/3.1. Rejects with a StatusError where the node refuses. */
export async function upgradeKubelet(
  address: KubeletAddress,
  request: KubeletRequest & { readonly protocol: string; readonly pod: string },
  trust: KubeletTrust,
): Promise<Link> {
  const [{ request: send }, options] = await Promise.all([import('node:https'), optionsFor(address, request, trust)])
  return new Promise((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': request.protocol }
    const message = send({ ...options, headers })
    whileConnecting(message)
    message.on('error', cause => reject(unreachable(address, cause)))
    message.on('response', response => errorOf(response, request.pod).then(reject, reject))
    message.on('upgrade', (_response, socket: Duplex, head: Buffer) => resolve(socketLink(socket, head)))
    message.end()
  })
}
