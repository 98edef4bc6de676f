/** One HTTP/2 connection to a server, for requests one after another. */
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Answer, Ask } from './ask.ts'

export interface Connection {
  send(ask: Ask): Promise<Answer>
  close(): void
}

/** The texts of Warning headers (RFC 7234: code, agent, quoted text). */
function warningsOf(header: string | string[] | undefined): string[] {
  const line = Array.isArray(header) ? header.join(', ') : (header ?? '')
  return [...line.matchAll(/299 \S+ ("(?:[^"\\]|\\.)*")/g)].map(([, text]) =>
    text!.slice(1, -1).replace(/\\(.)/g, '$1'),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `url` such as `https://127.0.0.1:6443`; its certificate is not looked at. `token` is a bearer token. */
export function openConnection(url: string, token: string): Connection {
  const session: ClientHttp2Session = connect(url, { rejectUnauthorized: false })
  const failure = new Promise<never>((_, reject) => session.on('error', reject))
  failure.catch(() => {})

  const send = ({ method, path, body, raw, type, accept }: Ask) => {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const stream = session.request(
      {
        ':method': method,
        ':path': path,
        authorization: `Bearer ${token}`,
        'user-agent': 'differential/1',
        ...(accept && { accept }),
        ...(payload !== undefined && { 'content-type': type ?? 'application/json' }),
      },
      { endStream: payload === undefined },
    )
    return Promise.race([
      failure,
      new Promise<Answer>(resolve => {
        const chunks: Buffer[] = []
        let status = 0
        let warnings: string[] = []
        stream.on('response', headers => {
          status = Number(headers[':status'])
          warnings = warningsOf(headers.warning as string | string[] | undefined)
        })
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        // A server that panics in a handler cuts the stream off.
        stream.on('error', error => resolve({ status: 0, body: error.message }))
        stream.on('end', () =>
          resolve({ status, ...(warnings.length && { warnings }), body: parsed(Buffer.concat(chunks).toString()) }),
        )
        if (payload !== undefined) stream.end(payload)
      }),
    ])
  }
  return { send, close: () => session.close() }
}
