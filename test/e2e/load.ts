/** Steady requests to one address, a new connection each, with the failures counted. */
import http from 'node:http'

export interface LoadResult {
  readonly sent: number
  /** Messages of requests that got no 200. */
  readonly failures: readonly string[]
  /** Answers by version and by instance. */
  readonly versions: ReadonlyMap<string, number>
  readonly instances: ReadonlyMap<string, number>
}

export interface Answered {
  readonly version: string
  /** The pod's name. */
  readonly host: string
}

/** How long a client waits, in ms: a machine that tests share may stand still for seconds; what is lost never comes. */
const PATIENCE = 30_000

/** The body of an answer; rejects when the request is not answered with 200 in time, and says how far it came. */
export function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let stage = 'no connection'
    const request = http.get(url, { agent: false, timeout: PATIENCE }, response => {
      stage = 'no end of the answer'
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      )
      response.on('error', reject)
    })
    request.on('socket', socket => socket.on('connect', () => (stage = `no answer on port ${socket.localPort}`)))
    request.on('timeout', () => request.destroy(new Error(`${stage} within ${PATIENCE / 1000} s`)))
    request.on('error', reject)
  })
}

/** Asks the service that tests run (`web.ts`), as `get`. */
export const ask = async (url: string): Promise<Answered> => JSON.parse(await get(url))

/** Sends `workers` requests side by side, over and over, until the returned function is called. */
export function startLoad(url: string, workers = 4): () => Promise<LoadResult> {
  let going = true
  let sent = 0
  const failures: string[] = []
  const versions = new Map<string, number>()
  const instances = new Map<string, number>()
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  const work = async () => {
    while (going) {
      sent++
      try {
        const { version, host } = await ask(url)
        count(versions, version)
        count(instances, host)
      } catch (error) {
        failures.push((error as Error).message)
      }
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  const all = Promise.all(Array.from({ length: workers }, work))
  return async () => {
    going = false
    await all
    return { sent, failures, versions, instances }
  }
}

/** Waits until `condition` holds, looking every 50 ms; throws with `what` after `limit` ms. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  limit = 120_000,
): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`gave up after ${limit} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
