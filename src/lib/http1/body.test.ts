import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { bodyReader } from './body.ts'
import type { Framing } from './head.ts'
import { Malformed } from './malformed.ts'

const LIMITS = { bytes: 100, fields: 5 }

/** What becomes of bytes that come in these pieces. */
function read(framing: Framing, pieces: readonly string[]) {
  let body = ''
  let trailers: readonly string[] | undefined
  let rest: Buffer | undefined
  const taker = {
    data: (chunk: Buffer) => void (body += chunk.toString('latin1')),
    end: (fields: readonly string[]) => void (trailers = fields),
  }
  const reader = bodyReader(framing, taker, LIMITS)
  for (const piece of pieces) {
    if (rest) rest = Buffer.concat([rest, Buffer.from(piece, 'latin1')])
    else rest = reader.read(Buffer.from(piece, 'latin1'))
  }
  return { body, trailers, rest: rest?.toString('latin1') }
}

test('bodyReader takes as many bytes as were said, and gives the rest back', () => {
  const sized = { kind: 'sized', bytes: 5 } as const
  assert.deepEqual(read(sized, ['hel', 'lo']), { body: 'hello', trailers: [], rest: '' })
  assert.deepEqual(read(sized, ['hello, you']), { body: 'hello', trailers: [], rest: ', you' })
  assert.deepEqual(read(sized, ['hel']), { body: 'hel', trailers: undefined, rest: undefined })
})

test('bodyReader takes all that comes where the connection ends it', () => {
  assert.deepEqual(read({ kind: 'close' }, ['a', 'b']), { body: 'ab', trailers: undefined, rest: undefined })
})

test('bodyReader puts chunks together, in whatever pieces they come', () => {
  const text = '5\r\nhello\r\n00A;ext="x"\r\n0123456789\r\n1\r\n\n\r\n0\r\nX-Sum: 1\r\n\r\nnext'
  const whole = { body: 'hello0123456789\n', trailers: ['X-Sum', '1'], rest: 'next' }
  assert.deepEqual(read({ kind: 'chunked' }, [text]), whole)
  assert.deepEqual(read({ kind: 'chunked' }, [...text]), whole)
  const random = seededRandom(1)
  for (let round = 0; round < 200; round++) {
    const pieces: string[] = []
    for (let at = 0; at < text.length; ) {
      const length = 1 + Math.floor(random.number() * 9)
      pieces.push(text.slice(at, (at += length)))
    }
    assert.deepEqual(read({ kind: 'chunked' }, pieces), whole, JSON.stringify(pieces))
  }
  assert.deepEqual(read({ kind: 'chunked' }, ['0\r\n', '\r\n']), { body: '', trailers: [], rest: '' })
})

const refused: readonly [what: string, text: string, status?: number][] = [
  ['a size that is none', 'x\r\n'],
  ['an empty size', '\r\n'],
  ['a size with a blank behind it', '1 \r\na\r\n0\r\n\r\n'],
  ['a size with a sign', '+1\r\na\r\n0\r\n\r\n'],
  ['a size in the way of programs', '0x1\r\na\r\n0\r\n\r\n'],
  ['a size beyond all numbers', '1000000000000000\r\n'],
  ['a bare line feed after a size', '1\na\r\n0\r\n\r\n'],
  ['a bare return in an extension', '1;a\rb\r\na\r\n0\r\n\r\n'],
  ['a chunk that is longer than it says', '1\r\nab\r\n0\r\n\r\n'],
  ['a chunk that is a little longer than it says', '1\r\na\n\r\n'],
  ['a chunk that ends with a bare line feed', '1\r\na\n0\r\n\r\n'],
  ['a size line without an end', '1'.repeat(300), 431],
  ['an extension without an end', `1;${'a'.repeat(300)}`, 431],
  ['a trailer that is none', '0\r\nX\r\n\r\n'],
  ['a folded trailer', '0\r\nX: 1\r\n 2\r\n\r\n'],
  ['trailers without an end', `0\r\nX: ${'a'.repeat(200)}`, 431],
]
for (const [what, text, status = 400] of refused) {
  test(`bodyReader refuses ${what}`, () => {
    const isSuch = (error: unknown) => error instanceof Malformed && error.status === status
    assert.throws(() => read({ kind: 'chunked' }, [text]), isSuch)
    assert.throws(() => read({ kind: 'chunked' }, [...text]), isSuch)
  })
}
