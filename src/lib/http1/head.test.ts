import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Framing,
  framingOfAnswer,
  framingOfRequest,
  readAnswerHead,
  readRequestHead,
  readTrailers,
  staysOpen,
} from './head.ts'
import { Malformed } from './malformed.ts'

const LIMITS = { bytes: 1000, fields: 5 }
const statusOf = (read: () => unknown): number | undefined => {
  try {
    read()
    return undefined
  } catch (error) {
    assert.ok(error instanceof Malformed, String(error))
    return error.status
  }
}

test('readRequestHead gives what stands there, and what it says of the connection', () => {
  const head = readRequestHead(
    'POST /a?b HTTP/1.1\r\nHost: a:80\r\nX-A:  b c\t \r\nContent-length: 12\r\nConnection: Keep-Alive, X',
    LIMITS,
  )
  const { method, target, minor, fields, hosts, length, chunked, connection } = head
  assert.deepEqual([method, target, minor, hosts, length, chunked], ['POST', '/a?b', 1, ['a:80'], 12, false])
  assert.deepEqual(fields.slice(2, 6), ['X-A', 'b c', 'Content-length', '12'])
  assert.deepEqual(connection, ['keep-alive', 'x'])
  assert.deepEqual(framingOfRequest(head), { kind: 'sized', bytes: 12 })
})

const requests: readonly [what: string, text: string, status: number | undefined][] = [
  ['an empty value', 'GET / HTTP/1.1\r\nHost:', undefined],
  ['characters beyond ASCII in a value', 'GET / HTTP/1.1\r\nX: \xe4\x80', undefined],
  ['no target', 'GET  HTTP/1.1', 400],
  ['a blank in the target', 'GET /a b HTTP/1.1', 400],
  ['characters beyond ASCII in the target', 'GET /\xe4 HTTP/1.1', 400],
  ['a method in small letters', 'get / HTTP/1.1', 400],
  ['no version', 'GET /', 400],
  ['HTTP/2', 'PRI * HTTP/2.0', 505],
  ['HTTP/1.2', 'GET / HTTP/1.2', 505],
  ['a version that is none', 'GET / HTTP/1.1x', 400],
  ['a blank before the colon', 'GET / HTTP/1.1\r\nX : 1', 400],
  ['a folded line', 'GET / HTTP/1.1\r\nX: 1\r\n 2', 400],
  ['a line without a colon', 'GET / HTTP/1.1\r\nX', 400],
  ['a field without a name', 'GET / HTTP/1.1\r\n: 1', 400],
  ['a name with brackets', 'GET / HTTP/1.1\r\nX(: 1', 400],
  ['a bare line feed', 'GET / HTTP/1.1\r\nX: 1\nY: 2', 400],
  ['a bare return', 'GET / HTTP/1.1\r\nX: 1\rY: 2', 400],
  ['a zero', 'GET / HTTP/1.1\r\nX: \0', 400],
  ['two equal lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1', 400],
  ['two lengths in one', 'POST / HTTP/1.1\r\nContent-Length: 1, 1', 400],
  ['a negative length', 'POST / HTTP/1.1\r\nContent-Length: -1', 400],
  ['an empty length', 'POST / HTTP/1.1\r\nContent-Length: ', 400],
  ['a length in hexadecimal', 'POST / HTTP/1.1\r\nContent-Length: 0x1', 400],
  ['a length beyond all numbers', 'POST / HTTP/1.1\r\nContent-Length: 9999999999999999', 400],
  ['a length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked', 400],
  ['chunks and a length', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1', 400],
  ['chunks twice', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 400],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked', 400],
  ['a coding before chunks', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked', 501],
  ['a coding that looks like chunks', 'POST / HTTP/1.1\r\nTransfer-Encoding: xchunked', 501],
  ['a coding with a vertical tab', 'POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked', 400],
  ['six fields, one more than may be', `GET / HTTP/1.1${'\r\nX: 1'.repeat(6)}`, 431],
]
for (const [what, text, status] of requests) {
  test(`readRequestHead ${status ? `refuses ${what} with ${status}` : `takes ${what}`}`, () =>
    assert.equal(
      statusOf(() => readRequestHead(text, LIMITS)),
      status,
    ))
}

const answers: readonly [text: string, method: string, framing: Framing['kind'] | undefined, stays: boolean][] = [
  ['HTTP/1.1 200 OK\r\nContent-Length: 3', 'GET', 'sized', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0', 'GET', 'none', true],
  ['HTTP/1.1 200\r\nTransfer-Encoding: Chunked', 'GET', 'chunked', true],
  ['HTTP/1.1 200 OK', 'GET', 'close', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3', 'HEAD', 'none', true],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3', 'GET', 'none', true],
  ['HTTP/1.1 204 No Content\r\nConnection: close', 'GET', 'none', false],
  ['HTTP/1.0 200 OK\r\nContent-Length: 3', 'GET', 'sized', false],
  ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive', 'GET', 'sized', true],
  ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4', 'GET', undefined, false],
  ['HTTP/1.1 099 Odd', 'GET', undefined, false],
  ['HTTP/2 200 OK', 'GET', undefined, false],
  ['no HTTP', 'GET', undefined, false],
]
for (const [text, method, framing, stays] of answers) {
  test(`readAnswerHead of ${JSON.stringify(text)} to ${method}`, () => {
    if (framing === undefined)
      return assert.equal(
        statusOf(() => readAnswerHead(text, LIMITS)),
        400,
      )
    const head = readAnswerHead(text, LIMITS)
    return assert.deepEqual([framingOfAnswer(head, method).kind, staysOpen(head)], [framing, stays])
  })
}

test('readTrailers reads fields alone', () => {
  assert.deepEqual(readTrailers('X: 1\r\nY: 2', LIMITS), ['X', '1', 'Y', '2'])
  assert.deepEqual(readTrailers('', LIMITS), [])
})
