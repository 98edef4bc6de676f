import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServicesExit } from './services-exit.ts'

const POD = { status: { podIPs: [{ ip: '10.244.0.5' }] } }

test('createServicesExit leaves once, within half of the grace, and tells when that is done', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked: object[] = []
  let changes = 0
  const leave = (pod: object) => {
    asked.push(pod)
    return promise
  }
  const exit = createServicesExit({ leave }, 'u1', () => changes++)
  assert.equal(exit.isUnderWay(POD, 30_000), true)
  assert.equal(exit.isUnderWay(POD, 29_000), true)
  assert.deepEqual(asked, [{ uid: 'u1', ips: ['10.244.0.5'], withinMs: 15_000 }])
  assert.equal(exit.isUnderWay(POD, 0), false, 'a forced deletion waits for nothing')
  resolve()
  await new Promise(done => setImmediate(done))
  assert.equal(changes, 1)
  assert.equal(exit.isUnderWay(POD, 28_000), false)
})

test('createServicesExit is over at once without addresses, and without a network that has services', () => {
  const never = new Promise<void>(() => {})
  assert.equal(createServicesExit({ leave: () => never }, 'u1', () => {}).isUnderWay({}, 30_000), false)
  assert.equal(createServicesExit({}, 'u1', () => {}).isUnderWay(POD, 30_000), false)
})
