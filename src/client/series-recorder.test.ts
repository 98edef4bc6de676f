import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../lib/log.ts'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createSeriesRecorder, type NewEvent } from './series-recorder.ts'
import type { ApiRequest, Transport } from './transport.ts'

const MINUTE = 60_000
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'shop', uid: '1' } }
const failed: NewEvent = { regarding: pod, type: 'Warning', reason: 'Failed', action: 'Trying', note: 'no room' }

// biome-ignore lint/suspicious/noExplicitAny: tests read JSON
type Loose = any

function start(answer: (request: ApiRequest) => number = () => 201) {
  const clock = virtualClock()
  const asked: { method: string; path: string; body: Loose }[] = []
  const transport = (async (request: ApiRequest) => {
    asked.push({ method: request.method, path: request.path, body: request.body })
    const code = answer(request)
    const object =
      code < 400 ? {} : { kind: 'Status', status: 'Failure', code, reason: code === 404 ? 'NotFound' : 'Invalid' }
    return { status: code, object }
  }) as unknown as Transport
  const scope = new AbortController()
  const source = { controller: 'default-scheduler', instance: 'default-scheduler-n1' }
  const recorder = createSeriesRecorder(transport, source, { clock, logger: silent }, scope.signal)
  return { clock, asked, recorder, scope }
}

test('createSeriesRecorder writes an event as events.k8s.io has it', async () => {
  const { asked, recorder, clock } = start()
  recorder.event({ ...failed, related: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } } })
  await recorder.flushed()
  assert.equal(asked[0]!.path, '/apis/events.k8s.io/v1/namespaces/shop/events')
  const { metadata, ...body } = asked[0]!.body
  assert.match(metadata.name, /^a\.[0-9a-f]+$/)
  assert.deepEqual(body, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'default-scheduler',
    reportingInstance: 'default-scheduler-n1',
    action: 'Trying',
    reason: 'Failed',
    regarding: { kind: 'Pod', apiVersion: 'v1', name: 'a', namespace: 'shop', uid: '1' },
    related: { kind: 'Node', apiVersion: 'v1', name: 'n1' },
    note: 'no room',
    type: 'Warning',
  })
  assert.equal(clock.nextDue(), undefined, 'nothing waits while there is no series')
})

test('createSeriesRecorder makes a series of what comes again, and writes its end', async () => {
  const { asked, recorder, clock } = start()
  for (let times = 0; times < 5; times++) {
    recorder.event({ ...failed, note: `try ${times}` })
    await clock.advance(1000)
  }
  await recorder.flushed()
  assert.deepEqual(
    asked.map(({ method, body }) => [method, body.series?.count]),
    [
      ['POST', undefined],
      ['PATCH', 2],
    ],
  )
  assert.equal(asked[1]!.path, `/apis/events.k8s.io/v1/namespaces/shop/events/${asked[0]!.body.metadata.name}`)
  await clock.advance(12 * MINUTE)
  assert.deepEqual(asked.at(-1)!.body, { series: { count: 5, lastObservedTime: '2026-01-01T00:00:04.000000Z' } })
  assert.equal(clock.nextDue(), undefined)
  const written = asked.length
  recorder.event(failed)
  await recorder.flushed()
  assert.equal(asked.length, written + 1)
  assert.equal(asked.at(-1)!.method, 'POST', 'a new event begins')
})

test('createSeriesRecorder writes a series that goes on every half hour', async () => {
  const { asked, recorder, clock } = start()
  for (let minute = 0; minute <= 70; minute++) {
    recorder.event(failed)
    await clock.advance(MINUTE)
  }
  const counts = asked.map(({ body }) => body.series?.count)
  assert.equal(counts.length, 4, String(counts))
  assert.ok(counts[2] >= 30 && counts[2] <= 40 && counts[3] >= 60, String(counts))
})

test('createSeriesRecorder does not take other objects, reasons or actions for the same', async () => {
  const { asked, recorder } = start()
  recorder.event(failed)
  recorder.event({ ...failed, reason: 'Other' })
  recorder.event({ ...failed, action: 'Waiting' })
  recorder.event({ ...failed, type: 'Normal' })
  recorder.event({ ...failed, regarding: { ...pod, metadata: { ...pod.metadata, resourceVersion: '2' } } })
  await recorder.flushed()
  assert.deepEqual(new Set(asked.map(({ method }) => method)), new Set(['POST']))
})

test('createSeriesRecorder makes an event anew that has gone, with its series, and forgets one that is refused', async () => {
  const gone = start(({ method }) => (method === 'PATCH' ? 404 : 201))
  gone.recorder.event(failed)
  gone.recorder.event(failed)
  await gone.recorder.flushed()
  const last = gone.asked.at(-1)!
  assert.deepEqual([last.method, last.body.series.count, last.body.note], ['POST', 2, 'no room'])

  const refused = start(() => 422)
  refused.recorder.event(failed)
  await refused.recorder.flushed()
  refused.recorder.event(failed)
  await refused.recorder.flushed()
  assert.deepEqual(
    refused.asked.map(({ method }) => method),
    ['POST', 'POST'],
  )
})
