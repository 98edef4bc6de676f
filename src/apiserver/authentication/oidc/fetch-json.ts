/** One JSON document by HTTPS from an issuer of tokens, bounded in time and size. */
import { Agent, get } from 'node:https'
import { readBody } from '../../../lib/bounded-body.ts'
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
        const read = (bytes: Buffer) => {
          const text = bytes.toString('utf8')
          if (response.statusCode !== 200) return fail(`status ${response.statusCode}: ${text.slice(0, 200)}`)
          try {
            const value = JSON.parse(text)
            timer.cancel()
            resolve(value)
          } catch {
            fail('the answer is not JSON')
          }
        }
        readBody(response, LIMIT).then(read, error => fail(error.message))
      })
      const timer = clock.after(TIMEOUT_MS, () => {
        fail('context deadline exceeded')
        request.destroy()
      })
      request.on('error', error => fail(error.message))
    })
}
