/** Sends a stream to the API server: what the one transport, which takes whole values, is not for. */
import type { Readable } from 'node:stream'
import type { Status } from '../api/machinery/status-error.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import type { Connection } from './context.ts'
import { UserError } from './context.ts'

/** Posts it; resolves with the answer's JSON. Rejects with what the server said instead. */
export async function upload(
  { server, tls, token }: Connection,
  path: string,
  body: Readable,
  signal: AbortSignal,
): Promise<unknown> {
  const { request } = await import('node:https')
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const sent = request(`${server}${path}`, {
    ...tls,
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/x-tar',
      accept: 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  })
  sent.on('error', cause =>
    reject(new UserError(`the archive could not be sent: ${cause.message}`, undefined, { cause })),
  )
  sent.on('response', response => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('end', () => {
      // What was not read any more is not needed.
      body.destroy()
      if ((response.statusCode ?? 500) < 400) return resolve(JSON.parse(text))
      try {
        reject(StatusError.from(JSON.parse(text) as Status))
      } catch {
        reject(new UserError(text.trim() || `the server answered ${response.statusCode}`))
      }
    })
  })
  body.on('error', cause => sent.destroy(cause))
  body.pipe(sent)
  return promise
}
