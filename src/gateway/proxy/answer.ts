/** Answers of the gateway itself. They tell a stranger nothing of what is behind it. */
import { http } from '../../lib/http.ts'
import type { ClientResponse, Inbound } from './inbound.ts'

/** What is said with a status, after its name. */
const SENTENCES: Readonly<Record<number, string>> = {
  400: 'the request cannot be understood',
  404: 'nothing is served under this host and path',
  502: 'the backend did not answer as it should',
  503: 'no backend is ready',
  504: 'the backend did not answer in time',
}

/** Answers with a status and its sentence. `closing`: nothing more is read from this connection. */
export function refuse(response: ClientResponse, status: number, { closing = false } = {}): void {
  const text = `${status} ${http.STATUS_CODES[status]}: ${SENTENCES[status]}\n`
  const close = closing && !response.stream
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...(close && { connection: 'close' }),
  })
  response.end(text)
}

/** Sends a client to the same place with TLS. 308 keeps method and body. */
export function redirect(response: ClientResponse, { authority, target }: Inbound, port: number): void {
  const host = authority.replace(/:\d*$/, '')
  response.writeHead(308, {
    location: `https://${host}${port === 443 ? '' : `:${port}`}${target}`,
    'content-length': 0,
  })
  response.end()
}
