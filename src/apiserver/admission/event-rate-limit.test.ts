import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import type { StatusError } from '../../api/machinery/status-error.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type EventLimit, eventRateLimit } from './event-rate-limit.ts'
import { admissionAttributes } from './plugin.ts'

interface Sent {
  readonly namespace?: string
  readonly user?: string
  readonly pod?: string
  readonly key?: string
  readonly dryRun?: boolean
}

function start(...limits: EventLimit[]) {
  const clock = virtualClock()
  const plugin = eventRateLimit(limits, clock)
  /** What is said of an event: `ok`, `free` where the plugin does not look, or the message. */
  const send = ({ namespace = 'a', user = 'ann', pod = 'p', key = 'v1/events', dryRun = false }: Sent = {}) => {
    const kind = kinds.find(each => each.key === key)!
    const about = { kind: 'Pod', namespace, name: pod }
    const source = { component: 'kubelet', host: 'n1' }
    const object: object =
      key === 'v1/events' ? { involvedObject: about, source } : { regarding: about, deprecatedSource: source }
    const request = admissionAttributes({
      operation: 'CREATE',
      kind,
      name: 'e',
      namespace,
      object,
      dryRun,
      user: { name: user, groups: [] },
    })
    if (!plugin.handles(request)) return 'free'
    try {
      plugin.validate!(request)
      return 'ok'
    } catch (error) {
      assert.equal((error as StatusError).code, 429)
      return (error as Error).message
    }
  }
  return { clock, send }
}

test('eventRateLimit lets a burst pass, then as many as come to a second', async () => {
  const { clock, send } = start({ type: 'Server', qps: 2, burst: 3 })
  assert.deepEqual([send(), send(), send()], ['ok', 'ok', 'ok'])
  assert.equal(send(), 'limit reached on type Server for key ')
  await clock.advance(499)
  assert.equal(send(), 'limit reached on type Server for key ')
  await clock.advance(1)
  assert.equal(send(), 'ok')
  assert.equal(send({ dryRun: true }), 'free')
  assert.equal(send({ key: 'v1/configmaps' }), 'free')
  assert.equal(send({ key: 'events.k8s.io/v1/events' }), 'limit reached on type Server for key ')
})

test('eventRateLimit counts by namespace, user, or source and object', () => {
  const once = { qps: 1, burst: 1 }
  const cases: [EventLimit['type'], Sent, string][] = [
    ['Namespace', { namespace: 'b' }, 'limit reached on type Namespace for key a'],
    ['User', { user: 'bob' }, 'limit reached on type User for key ann'],
    ['SourceAndObject', { pod: 'q' }, 'limit reached on type SourceAndObject for key kubeletn1Podap'],
  ]
  for (const [type, other, message] of cases) {
    const { send } = start({ type, ...once })
    assert.deepEqual([send(), send(other), send()], ['ok', 'ok', message])
    assert.equal(send({ key: 'events.k8s.io/v1/events' }), message, 'the same object in another form')
  }
  const both = start({ type: 'Server', ...once }, { type: 'User', ...once })
  both.send()
  assert.equal(both.send(), '[limit reached on type Server for key , limit reached on type User for key ann]')
})

test('eventRateLimit forgets those that were quiet for longest when there are too many', () => {
  const { send } = start({ type: 'User', qps: 0.001, burst: 1, cacheSize: 2 })
  for (const user of ['a', 'b', 'c']) assert.equal(send({ user }), 'ok')
  assert.equal(send({ user: 'c' }), 'limit reached on type User for key c')
  assert.equal(send({ user: 'a' }), 'ok', 'a was forgotten')
})
