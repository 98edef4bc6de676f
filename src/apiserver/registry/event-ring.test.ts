import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoded } from '../../api/machinery/encoded.ts'
import { type CacheEvent, eventRing, transition, withRevision } from './event-ring.ts'

const object = (revision: number, size = 10) =>
  new Encoded(
    Buffer.from(JSON.stringify({ kind: 'X', metadata: { resourceVersion: String(revision) }, data: 'x'.repeat(size) })),
    revision,
  )
const event = (revision: number, size?: number): CacheEvent => ({
  revision,
  namespace: '',
  name: 'x',
  previous: object(revision - 1, size),
  current: object(revision, size),
  sent: {},
})
const revisions = (events: readonly CacheEvent[]) => events.map(each => each.revision)

test('eventRing gives what came after a revision', () => {
  const ring = eventRing(3)
  for (const revision of [4, 6, 9]) ring.push(event(revision))
  assert.deepEqual(revisions(ring.after(3)), [4, 6, 9])
  assert.deepEqual(revisions(ring.after(5)), [6, 9])
  assert.deepEqual(revisions(ring.after(9)), [])
  assert.equal(ring.oldest(), 3)
})

test('eventRing forgets the oldest events, by number and by size', () => {
  const byNumber = eventRing(0, 3)
  for (let revision = 1; revision <= 5000; revision++) byNumber.push(event(revision))
  assert.equal(byNumber.oldest(), 4997)
  assert.deepEqual(revisions(byNumber.after(4997)), [4998, 4999, 5000])

  const bySize = eventRing(0, 1000, 30_000)
  for (let revision = 1; revision <= 20; revision++) bySize.push(event(revision, 4000))
  assert.equal(bySize.oldest(), 18)
  bySize.push({ ...event(21, 4000), current: undefined })
  assert.equal(bySize.oldest(), 20, 'a deletion holds twice as much')
})

test('withRevision changes the resourceVersion and nothing else', () => {
  assert.deepEqual(withRevision(object(99), 100).value, object(100).value)
})

test('transition says what a change is to someone who sees only some objects', () => {
  assert.equal(transition(false, true), 'ADDED')
  assert.equal(transition(true, true), 'MODIFIED')
  assert.equal(transition(true, false), 'DELETED')
  assert.equal(transition(false, false), undefined)
})
