import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readBody } from './bounded-body.ts'

const bodyOf = (...chunks: string[]) => Readable.from(chunks.map(each => Buffer.from(each)))

test('readBody gives all of a body that is as long as it may be', async () => {
  assert.equal(String(await readBody(bodyOf('ab', 'cd'), 4)), 'abcd')
  assert.equal(String(await readBody(bodyOf(), 0)), '')
})

test('readBody refuses a body that is longer, in the words of who asks, and ends its stream', async () => {
  const body = bodyOf('ab', 'cd', 'ef')
  await assert.rejects(readBody(body, 3), { message: 'the answer is longer than 3 bytes' })
  assert.ok(body.destroyed)
  const fail = (why: string) => new TypeError(`no: ${why}`)
  await assert.rejects(readBody(bodyOf('ab'), 1, fail), {
    name: 'TypeError',
    message: 'no: the answer is longer than 1 bytes',
  })
})
