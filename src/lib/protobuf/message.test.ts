import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bool, bytes, int, many, map, message, one, string } from './message.ts'

const inner = message({ name: one(1, string), numbers: many(2, int) })
const outer = message({
  text: one(1, string),
  number: one(2, int),
  flag: one(3, bool),
  raw: one(4, bytes),
  inner: one(5, inner),
  list: many(6, inner),
  labels: map(7),
})

test('message gives back what it was given', () => {
  const value = {
    text: 'häuser',
    number: -5,
    flag: true,
    raw: Buffer.from([0, 255]),
    inner: { name: 'a', numbers: [1, 300] },
    list: [{ name: 'b' }, { numbers: [0] }],
    labels: { x: '1', y: '' },
  }
  const { raw, ...rest } = outer.decode(outer.encode(value))
  assert.deepEqual([...raw], [0, 255])
  assert.deepEqual(rest, {
    text: 'häuser',
    number: -5,
    flag: true,
    inner: { name: 'a', numbers: [1, 300] },
    list: [
      { name: 'b', numbers: [] },
      { name: '', numbers: [0] },
    ],
    labels: { x: '1', y: '' },
  })
})

test('message fills in what was not sent, and sends nothing for it', () => {
  const { raw, ...rest } = outer.decode(Buffer.alloc(0))
  assert.equal(raw.length, 0)
  assert.deepEqual(rest, { text: '', number: 0, flag: false, inner: undefined, list: [], labels: {} })
  assert.equal(outer.encode({ text: '', number: 0, flag: false, list: [], labels: {} }).length, 0)
})

test('message passes over fields that it does not know, and those of another wire type', () => {
  const other = message({ text: one(1, int), more: one(99, string), number: one(2, int) })
  const { text, number } = outer.decode(other.encode({ text: 7, more: 'x', number: 3 }))
  assert.deepEqual({ text, number }, { text: '', number: 3 })
})

test('message reads packed numbers', () => {
  assert.deepEqual(inner.decode(Buffer.from([0x12, 3, 1, 0xac, 2])).numbers, [1, 300])
})

test('message refuses bytes that end early', () => {
  assert.throws(() => outer.decode(Buffer.from([0x0a, 5, 1])), RangeError)
})
