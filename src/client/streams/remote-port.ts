/** A connection to a port of a pod as a client of its node asks for it: two SPDY streams, one of them for the error. */
import { Duplex } from 'node:stream'
import { readBody } from '../../lib/bounded-body.ts'
import type { Link } from './link.ts'
import { ERROR_LIMIT } from './remote-command.ts'
import { openSpdy } from './spdy.ts'

/** The connection over an upgraded link that is for it alone. What fails at the node is its `error`. */
export function remotePort(link: Link, port: number): Duplex {
  const session = openSpdy(link)
  const headers = { port: String(port), requestid: '0' }
  const error = session.open({ ...headers, streamtype: 'error' })
  const data = session.open({ ...headers, streamtype: 'data' })
  const source = data.incoming[Symbol.asyncIterator]()
  const told = failureOf(error.incoming, port)
  const connection = new Duplex({
    async read() {
      const next = await source.next()
      if (!next.done) return void this.push(next.value)
      const failure = await told
      if (failure === undefined) this.push(null)
      else this.destroy(new Error(failure))
    },
    write(chunk: Buffer, _encoding, done) {
      data.write(chunk).then(() => done(), done)
    },
    final(done) {
      data.end().then(() => done(), done)
    },
    destroy(cause, done) {
      session.close()
      done(cause)
    },
  })
  void error.end()
  return connection
}

/** The node's sentence of what went wrong, without its beginning, which whoever reads it puts there again. */
async function failureOf(incoming: AsyncIterable<Buffer>, port: number): Promise<string | undefined> {
  const text = await readBody(incoming, ERROR_LIMIT).then(String, (error: Error) => error.message)
  const start = `error forwarding port ${port}: `
  return text ? (text.startsWith(start) ? text.slice(start.length) : text) : undefined
}
