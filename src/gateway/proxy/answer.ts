/** Answers of the gateway itself. They tell a stranger nothing of what is behind it. */
import { http } from '../../lib/http.ts'
import { linesOf } from './outbox.ts'
import type { Visit } from './visit.ts'

/** What is said with a status, after its name. */
const SENTENCES: Readonly<Record<number, string>> = {
  400: 'the request cannot be understood',
  404: 'nothing is served under this host and path',
  408: 'the request did not come in time',
  413: 'the body of the request is larger than may be',
  417: 'this expectation is not known',
  431: 'the head of the request is larger than may be',
  501: 'this coding of a body is not known',
  502: 'the backend did not answer as it should',
  503: 'no backend is ready',
  504: 'the backend did not answer in time',
  505: 'this version of HTTP is not known',
}

/** An answer that says why, in ASCII. */
function plainAnswer(status: number, why = SENTENCES[status]) {
  const reason = http.STATUS_CODES[status]!
  const text = `${status} ${reason}: ${why}\n`
  return { reason, text, fields: ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(text.length)] }
}

/** The last answer on a connection of HTTP/1.1, to no request that was routed; `first`: fields of it, before the others. */
export function lastAnswer(status: number, why?: string, first: readonly string[] = []): string {
  const { reason, text, fields } = plainAnswer(status, why)
  return `HTTP/1.1 ${status} ${reason}\r\n${linesOf([...first, ...fields, 'Connection', 'close'])}\r\n${text}`
}

/** Answers with a status and its sentence. */
export function refuse(visit: Visit, status: number): void {
  const { reason, text, fields } = plainAnswer(status)
  visit.begin({ status, reason, fields, body: 'sized' })
  visit.write(Buffer.from(text))
  visit.end([])
  visit.flush()
}

/** Sends a client to the same place with TLS. 308 keeps method and body. */
export function redirect(visit: Visit, port: number): void {
  const { authority, target } = visit.inbound
  const host = authority.replace(/:\d*$/, '')
  const fields = ['Location', `https://${host}${port === 443 ? '' : `:${port}`}${target}`, 'Content-Length', '0']
  visit.begin({ status: 308, reason: 'Permanent Redirect', fields, body: 'none' })
  visit.end([])
  visit.flush()
}
