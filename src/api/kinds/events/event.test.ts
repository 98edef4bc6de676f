import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventsEvent } from './event.ts'

const GOOD = {
  metadata: { name: 'a', namespace: 'd' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'example.com/test',
  reportingInstance: 'one',
  action: 'Testing',
  reason: 'Test',
  type: 'Normal',
  regarding: { namespace: 'd' },
}

const cases: [metadata: object, fields: string[]][] = [
  [{}, []],
  [{ generateName: 'a-' }, []],
  [{ name: 'A B' }, ['metadata.name']],
  [{ generateName: 'A B' }, ['metadata.generateName']],
]

for (const [metadata, fields] of cases) {
  test(`EventsEvent judges names more strictly than the core group: ${JSON.stringify(metadata)}`, () => {
    const event = { ...GOOD, metadata: { ...GOOD.metadata, ...metadata } } as EventsEvent
    const found = EventsEvent.rules!.flatMap(rule => rule(event, undefined, { subresource: '', now: 0 }))
    assert.deepEqual(
      found.map(({ field }) => field),
      fields,
    )
  })
}
