import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/machinery/object.ts'
import { resourceExpired } from '../api/machinery/status-error.ts'
import { silent } from '../lib/log.ts'
import { settled, virtualClock } from '../lib/virtual-clock.ts'
import { createInformer } from './informer.ts'
import type { Resource } from './resource.ts'
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from './transport.ts'

const MAPS: Resource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  apiVersion: 'v1',
  key: 'v1/configmaps',
}

const map = (name: string, revision: number, uid = name): KubeObject => ({
  metadata: { namespace: 'n', name, uid, resourceVersion: String(revision) },
})

/** A server of which the test plays every part. */
function script() {
  const requests: ApiRequest[] = []
  let items: KubeObject[] = []
  let revision = 0
  let failing: ApiResponse | undefined
  let push: ((batch: readonly WatchEvent[] | undefined) => void) | undefined
  const transport: Transport = async request => {
    requests.push(request)
    if (failing) {
      const response = failing
      failing = undefined
      return response
    }
    if (!request.query?.watch) {
      return { status: 200, object: { metadata: { resourceVersion: String(revision) }, items: [...items] } }
    }
    const queue: (readonly WatchEvent[] | undefined)[] = []
    let wake = () => {}
    push = batch => {
      queue.push(batch)
      wake()
    }
    request.signal?.addEventListener('abort', () => push?.(undefined))
    async function* events() {
      for (;;) {
        if (queue.length === 0) await new Promise<void>(resolve => void (wake = resolve))
        const batch = queue.shift()
        if (!batch) return
        yield batch
      }
    }
    return { status: 200, events: events() }
  }
  return {
    transport,
    requests,
    state(next: readonly KubeObject[], at: number) {
      items = [...next]
      revision = at
    },
    send: (...batch: WatchEvent[]) => push!(batch),
    end: () => push!(undefined),
    fail(status: number, object: unknown) {
      failing = { status, object }
    },
  }
}

async function start(state: readonly KubeObject[], at: number) {
  const server = script()
  server.state(state, at)
  const clock = virtualClock(0)
  const scope = new AbortController()
  const informer = createInformer(server.transport, MAPS, {}, { clock, logger: silent }, scope.signal)
  const changes: string[] = []
  informer.onChange(({ previous, current }) => {
    const of = (each: KubeObject | undefined) =>
      each ? `${each.metadata?.name}@${each.metadata?.resourceVersion}` : '-'
    changes.push(`${of(previous)} ${of(current)}`)
  })
  await informer.synced()
  await settled()
  return { server, clock, informer, changes, stop: () => scope.abort() }
}

const watches = (requests: readonly ApiRequest[]) =>
  requests.filter(each => each.query?.watch).map(each => each.query?.resourceVersion)

test('createInformer lists, then follows the watch from the revision of the list', async () => {
  const { server, informer, changes, stop } = await start([map('a', 3)], 5)
  assert.deepEqual(watches(server.requests), ['5'])
  server.send({ type: 'ADDED', object: map('b', 6) }, { type: 'MODIFIED', object: map('a', 7) })
  server.send({ type: 'DELETED', object: map('a', 8) })
  await settled()
  assert.deepEqual(changes, ['- a@3', '- b@6', 'a@3 a@7', 'a@7 -'])
  assert.equal(informer.revision(), 8)
  assert.deepEqual(
    informer.list().map(each => each.metadata?.name),
    ['b'],
  )
  stop()
})

test('createInformer tells a late handler what is there', async () => {
  const { informer, stop } = await start([map('a', 3), map('b', 4)], 5)
  const seen: unknown[] = []
  const end = informer.onChange(({ previous, current }) => seen.push([previous, current?.metadata?.name]))
  assert.deepEqual(seen, [
    [undefined, 'a'],
    [undefined, 'b'],
  ])
  end()
  stop()
})

test('createInformer resumes where it was when a watch ends', async () => {
  const { server, clock, changes, stop } = await start([], 5)
  server.send({ type: 'ADDED', object: map('a', 6) })
  server.end()
  await clock.advance(0)
  assert.deepEqual(watches(server.requests), ['5', '6'])
  assert.equal(server.requests.filter(each => !each.query?.watch).length, 1)
  assert.deepEqual(changes, ['- a@6'])
  stop()
})

test('createInformer lists again when its revision is forgotten, and tells the difference only', async () => {
  const { server, clock, changes, stop } = await start([map('a', 3), map('b', 4), map('c', 4)], 5)
  changes.length = 0
  server.state([map('a', 3), map('b', 9), map('d', 10), map('c', 11, 'another')], 12)
  server.send({ type: 'ERROR', object: resourceExpired('too old resource version').status as unknown as KubeObject })
  await clock.advance(0)
  assert.deepEqual(changes.toSorted(), ['- c@11', '- d@10', 'b@4 b@9', 'c@4 -'])
  assert.ok(changes.indexOf('c@4 -') < changes.indexOf('- c@11'), 'the old one goes before its successor comes')
  assert.deepEqual(watches(server.requests), ['5', '12'])
  stop()
})

test('createInformer waits longer after each failure', async () => {
  const { server, clock, stop } = await start([], 5)
  const gaps: number[] = []
  for (let failure = 0; failure < 4; failure++) {
    const before = clock.now()
    server.end()
    await settled()
    gaps.push((clock.nextDue() ?? before) - before)
    clock.step()
    await settled()
  }
  assert.deepEqual(gaps, [100, 200, 400, 800])
  stop()
})

test('createInformer reaches a revision by events and by bookmarks', async () => {
  const { server, informer, stop } = await start([], 5)
  let reached = ''
  void informer.reached(5).then(() => (reached += 'at once '))
  void informer.reached(7).then(() => (reached += 'by event '))
  void informer.reached(20).then(() => (reached += 'by bookmark'))
  await settled()
  assert.equal(reached, 'at once ')
  server.send({ type: 'ADDED', object: map('a', 8) })
  await settled()
  assert.equal(reached, 'at once by event ')
  server.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '21' } } })
  await settled()
  assert.equal(reached, 'at once by event by bookmark')
  stop()
})

test('createInformer refreshed shows what the watch has not brought yet, and takes nothing twice', async () => {
  const { server, informer, changes, stop } = await start([map('a', 3)], 5)
  changes.length = 0
  server.state([map('b', 7)], 8)
  await informer.refresh()
  assert.deepEqual(changes, ['- b@7', 'a@3 -'])
  server.send({ type: 'DELETED', object: map('a', 6) }, { type: 'ADDED', object: map('b', 7) })
  server.send({ type: 'ADDED', object: map('c', 9) })
  await settled()
  assert.deepEqual(changes.slice(2), ['- c@9'])
  // A list that is older than the watch brings nothing back.
  server.state([map('a', 3)], 8)
  await informer.refresh()
  assert.equal(informer.get('n/a'), undefined)
  stop()
})

test('createInformer survives a handler that throws', async () => {
  const { server, informer, stop } = await start([], 5)
  informer.onChange(() => {
    throw new Error('broken')
  })
  server.send({ type: 'ADDED', object: map('a', 6) })
  await settled()
  assert.ok(informer.get('n/a'))
  stop()
})
