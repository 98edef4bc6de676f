/**
 * What is taken here is taken by Node's own parser (llhttp), too, and for the same: or else something could be hidden
 * from the one in what the other reads.
 */
import assert from 'node:assert/strict'
import { createServer, METHODS } from 'node:http'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { bodyReader } from './body.ts'
import { framingOfRequest, HEAD_END, readRequestHead } from './head.ts'
import { Malformed } from './malformed.ts'

const LIMITS = { bytes: 8192, fields: 100 }

interface Read {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly fields: readonly string[]
  readonly body: string
  /** Where the request ends. */
  readonly end: number
}

/** One whole request; undefined: refused, or not complete. */
function ours(bytes: Buffer): Read | undefined {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return undefined
  try {
    const head = readRequestHead(bytes.toString('latin1', 0, end), LIMITS)
    const framing = framingOfRequest(head)
    let body = ''
    let isWhole = framing.kind === 'none'
    const taker = { data: (chunk: Buffer) => void (body += chunk.toString('latin1')), end: () => void (isWhole = true) }
    const after = bytes.subarray(end + HEAD_END.length)
    const rest = isWhole ? after : bodyReader(framing, taker, LIMITS).read(after)
    const { method, target, fields } = head
    return isWhole ? { method, target, fields, body, end: bytes.length - (rest?.length ?? 0) } : undefined
  } catch (error) {
    assert.ok(error instanceof Malformed, String(error))
    return undefined
  }
}

const server = createServer({ requireHostHeader: false })
server.on('clientError', (_, socket) => socket.destroy())

/** What Node takes the same bytes for. */
const nodes = (bytes: Buffer): Promise<Read | undefined> =>
  new Promise(resolve => {
    const [client, socket] = duplexPair()
    server.removeAllListeners('request')
    server.once('request', (request, response) => {
      let body = ''
      request.setEncoding('latin1').on('data', text => (body += text))
      request.on('error', () => resolve(undefined))
      request.on('end', () => {
        const { method, url: target, rawHeaders: fields } = request
        resolve({ method, target, fields, body, end: bytes.length })
        response.destroy()
      })
    })
    socket.once('close', () => resolve(undefined))
    server.emit('connection', socket)
    client.resume()
    client.end(bytes)
  })

const SEEDS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /x?y=%2F HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello',
  'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nyou\r\n0\r\n\r\n',
  'POST / HTTP/1.0\r\nContent-Length: 3\r\nConnection: close\r\nX-Empty:\r\n\r\nabc',
]
const PIECES = ['\r\n', '\n', '\r', ' ', '\t', ':', ',', '0', '1', '\0', '\x0b', '\xa0', 'Content-Length: 1\r\n']
PIECES.push('Transfer-Encoding: chunked\r\n', 'chunked', 'Transfer-Encoding : chunked\r\n', '\r\n\r\n', ';', 'HTTP/1.1')

test('readRequestHead and bodyReader take nothing that llhttp takes for something else', async () => {
  const random = seededRandom(7)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.number() * from.length)]!
  let taken = 0
  for (let round = 0; round < 4000; round++) {
    let text = pick(SEEDS)
    for (let change = 0; change <= round % 3; change++) {
      const at = Math.floor(random.number() * text.length)
      const gone = random.number() < 0.5 ? Math.floor(random.number() * 3) : 0
      text = text.slice(0, at) + (random.number() < 0.8 ? pick(PIECES) : '') + text.slice(at + gone)
    }
    const bytes = Buffer.from(text, 'latin1')
    const own = ours(bytes)
    if (!own || !METHODS.includes(own.method!)) continue
    taken++
    assert.deepEqual(await nodes(bytes.subarray(0, own.end)), own, JSON.stringify(text))
  }
  assert.ok(taken > 200, `${taken} requests were taken`)
})
