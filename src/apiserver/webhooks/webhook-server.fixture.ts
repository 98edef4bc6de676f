/** A webhook on loopback over TLS, that does what a test tells it. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createAuthority, issueCertificate, type KeyPair } from '../../lib/pki/certificate.ts'

const DAY = 86_400_000

let authority: Promise<KeyPair> | undefined

/** One authority for all tests of a process. */
const ownAuthority = () => (authority ??= createAuthority({ commonName: 'webhooks', now: Date.now(), lifetime: DAY }))

// biome-ignore lint/suspicious/noExplicitAny: documents are read as tests know them
export type Loose = any

/** Gives the document to answer with, or answers by itself and gives undefined. */
export type Answerer = (body: Loose, request: IncomingMessage, response: ServerResponse) => unknown

export interface WebhookServer {
  readonly port: number
  /** Base64 of PEM, for `clientConfig.caBundle`. */
  readonly caBundle: string
  /** Every body that was sent, in order. */
  readonly received: Loose[]
  /** Connections that were made. */
  connections(): number
  close(): Promise<void>
}

/** Starts one whose certificate is for `hosts`. */
export async function startWebhook(
  answer: Answerer,
  hosts: readonly string[] = ['127.0.0.1', 'localhost', 'hook.default.svc'],
): Promise<WebhookServer> {
  const ca = await ownAuthority()
  const { certificate, key } = await issueCertificate(ca, {
    usage: 'server',
    commonName: 'hook',
    hosts,
    now: Date.now(),
    lifetime: DAY,
  })
  const received: Loose[] = []
  let connections = 0
  const server = createServer({ cert: certificate, key }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const body = text ? JSON.parse(text) : undefined
    received.push(body)
    const document = await answer(body, request, response)
    if (document === undefined) return
    response.setHeader('content-type', 'application/json')
    response.end(typeof document === 'string' ? document : JSON.stringify(document))
  })
  server.on('secureConnection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(ca.certificate).toString('base64'),
    received,
    connections: () => connections,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
