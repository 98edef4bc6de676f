/** One JSON document by HTTPS from an issuer of tokens, bounded in time and size. */
import { Agent, get } from 'node:https'
import type { Clock } from '../../../lib/clock.ts'

export interface FetchDeps {
  readonly clock: Clock
  /** PEM of the authorities that are trusted. Default: those that come with Node. */
  readonly authority?: string
}

/** Gets a document. Rejects with an Error that names the URL. */
export type FetchJson = (url: string) => Promise<unknown>

const TIMEOUT_MS = 10_000
const LIMIT = 1 << 20

/** Makes a fetcher for one issuer. No connection is kept: it is asked rarely. */
export function createFetchJson({ clock, authority }: FetchDeps): FetchJson {
  const agent = new Agent({ keepAlive: false, ...(authority && { ca: authority }) })
  return url =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => {
        timer.cancel()
        reject(new Error(`Get ${JSON.stringify(url)}: ${why}`))
      }
      const request = get(url, { agent, headers: { accept: 'application/json' } }, response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > LIMIT) {
            fail(`the answer is longer than ${LIMIT} bytes`)
            request.destroy()
          } else chunks.push(chunk)
        })
        response.on('error', error => fail(error.message))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (response.statusCode !== 200) return fail(`status ${response.statusCode}: ${text.slice(0, 200)}`)
          try {
            const value = JSON.parse(text)
            timer.cancel()
            resolve(value)
          } catch {
            fail('the answer is not JSON')
          }
        })
      })
      const timer = clock.after(TIMEOUT_MS, () => {
        fail('context deadline exceeded')
        request.destroy()
      })
      request.on('error', error => fail(error.message))
    })
}
