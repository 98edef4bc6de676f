import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/machinery/object.ts'
import { alreadyExists, forbidden, internalError, notFound, type StatusError } from '../api/machinery/status-error.ts'
import { createClient } from '../client/client.ts'
import type { Resource } from '../client/resource.ts'
import type { ApiRequest, Transport } from '../client/transport.ts'
import { commit, isAmbiguous, isQuiet } from './commit.ts'
import type { Plan, Write } from './plan.ts'

const MAPS: Resource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  apiVersion: 'v1',
  key: 'v1/configmaps',
}

interface Thing extends KubeObject {
  status?: { n: number }
  data?: Record<string, string>
}
const thing = (name: string, more: Partial<Thing> = {}): Thing => ({
  metadata: { namespace: 'n', name, uid: `uid-${name}`, resourceVersion: '1' },
  ...more,
})
const create = (name: string): Write => ({
  type: 'create',
  resource: MAPS,
  object: thing(name),
  done: () => ({ target: thing(name), type: 'Normal', reason: 'Made', message: name }),
  failed: error => ({ target: thing(name), type: 'Warning', reason: 'NotMade', message: error.message }),
})

/** Carries a plan out on a server that refuses what `refuse` says; returns what was asked and told. */
async function run(
  plan: Plan,
  object?: Thing,
  refuse: (request: ApiRequest) => StatusError | undefined = () => undefined,
) {
  const asked: string[] = []
  const told: string[] = []
  let most = 0
  let under = 0
  const transport: Transport = async request => {
    const name = (request.body as Thing)?.metadata?.name ?? request.path.split('/').slice(6).join('/')
    asked.push(`${request.method} ${name}`)
    most = Math.max(most, ++under)
    await new Promise(resolve => setImmediate(resolve))
    under--
    const error = refuse(request)
    if (error) return { status: error.code, object: error.status }
    return { status: 200, object: { metadata: { name, resourceVersion: String(asked.length + 10) } } }
  }
  const recorder = {
    event: (_target: unknown, _type: string, reason: string, message: string) => void told.push(`${reason} ${message}`),
    flushed: async () => {},
  }
  const outcome = await commit(plan, MAPS, object, { client: createClient(transport), recorder })
  return { asked, told, most, outcome }
}

test('commit writes only what differs', async () => {
  const current = thing('a', { data: { x: '1' }, status: { n: 1 } })
  const same: Write = {
    type: 'update',
    resource: MAPS,
    current,
    next: thing('a', { status: { n: 1 }, data: { x: '1' } }),
  }
  assert.deepEqual((await run({ writes: [same], status: structuredClone(current) }, current)).asked, [])
  const next = thing('a', { data: { x: '2' } })
  const { asked, outcome } = await run({ writes: [{ type: 'update', resource: MAPS, current, next }] }, current)
  assert.deepEqual(asked, ['PUT a'])
  assert.deepEqual(
    outcome.written.map(each => each.revision),
    [11],
  )
})

test('commit leaves the status for the next pass when there was anything else to write', async () => {
  const current = thing('a')
  const status = thing('a', { status: { n: 2 } })
  assert.deepEqual((await run({ writes: [create('b')], status }, current)).asked, ['POST b'])
  assert.deepEqual((await run({ status }, current)).asked, ['PUT a'])
})

test('commit creates in growing batches, and stops at the first that fails', async () => {
  const writes = Array.from({ length: 7 }, (_, i) => create(`p${i}`))
  const good = await run({ writes })
  assert.equal(good.asked.length, 7)
  assert.equal(good.most, 4, 'one, two, four')
  const bad = await run({ writes }, undefined, request =>
    (request.body as Thing).metadata?.name === 'p1' ? internalError('no') : undefined,
  )
  assert.deepEqual(bad.asked, ['POST p0', 'POST p1', 'POST p2'])
  assert.deepEqual(bad.told.toSorted(), ['Made p0', 'Made p2', 'NotMade Internal error occurred: no'])
  assert.equal(bad.outcome.error?.message, 'Internal error occurred: no')
})

test('commit writes the other status when a write failed', async () => {
  const current = thing('a')
  const plan: Plan = {
    writes: [create('b')],
    status: thing('a', { status: { n: 1 } }),
    otherwise: () => ({ status: thing('a', { status: { n: 9 } }) }),
  }
  const refused = await run(plan, current, request =>
    request.method === 'POST' ? forbidden(MAPS, 'b', 'quota') : undefined,
  )
  assert.deepEqual(refused.asked, ['POST b', 'PUT a'])
  assert.deepEqual(refused.told, ['NotMade configmaps "b" is forbidden: quota'])
})

test('commit says nothing when someone else was faster', async () => {
  const plan: Plan = { writes: [create('b')], otherwise: () => ({ status: thing('a', { status: { n: 9 } }) }) }
  const late = await run(plan, thing('a'), () => alreadyExists(MAPS, 'b'))
  assert.deepEqual(late.asked, ['POST b'])
  assert.deepEqual(late.told, [])
  assert.ok(isQuiet(late.outcome.error!))
})

test('commit deletes only the object whose uid it knows, and takes one that is gone for done', async () => {
  const bodies: unknown[] = []
  const plan: Plan = { writes: [{ type: 'delete', resource: MAPS, object: thing('a') }] }
  const { outcome } = await run(plan, undefined, request => {
    bodies.push(request.body)
    return undefined
  })
  assert.deepEqual(bodies, [{ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'uid-a' } }])
  assert.equal(outcome.written[0]?.deleted?.metadata?.name, 'a')
  const gone = await run(plan, undefined, () => notFound(MAPS, 'a'))
  assert.deepEqual(gone.outcome, { written: [] })
})

test('commit deletes nothing that only its finalizers hold', async () => {
  const deleted = (deletionGracePeriodSeconds?: number): Write => ({
    type: 'delete',
    resource: MAPS,
    object: {
      metadata: {
        ...thing('a').metadata,
        deletionTimestamp: '2026-01-01T00:00:00Z',
        ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
      },
    },
  })
  assert.deepEqual((await run({ writes: [deleted(0), deleted()] })).asked, [])
  assert.deepEqual((await run({ writes: [deleted(30)] })).asked, ['DELETE a'])
})

test('isAmbiguous tells a refusal from an answer that never came', () => {
  assert.equal(isAmbiguous(forbidden(MAPS, 'b', 'quota')), false)
  assert.equal(isAmbiguous(internalError('no')), true)
  assert.equal(isAmbiguous(new Error('connection reset')), true)
})
