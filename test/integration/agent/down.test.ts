/** A node that is stopped with its pods, and the controllers and pods that it leaves, on a virtual clock. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { nodes } from '../../../src/agent/resources.ts'
import { StatusError } from '../../../src/api/machinery/status-error.ts'
import { rfc3339 } from '../../../src/api/machinery/time.ts'
import type { Transport } from '../../../src/client/transport.ts'
import { runAll } from '../../../src/control/lifetime.ts'
import { controllerComponents } from '../../../src/controllers/all.ts'
import { silent } from '../../../src/lib/log.ts'
import { startScripted } from './scripted.ts'

const web = { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'image', command: ['run'] }] }

describe('Agent.drain', () => {
  let world: Awaited<ReturnType<typeof startScripted>>
  let controllers: AbortController
  beforeEach(async () => {
    world = await startScripted()
    controllers = new AbortController()
  })
  afterEach(async () => {
    controllers.abort()
    await world.close()
  })
  const node = async () => {
    const { status, spec } = await world.admin.kind(nodes).get({ name: 'n1' })
    const { status: ready, reason, message } = status?.conditions?.find(each => each.type === 'Ready') ?? {}
    return {
      ready: [ready, reason, message],
      taints: (spec?.taints ?? []).map(({ key, effect }) => `${key.split('/')[1]}:${effect}`).sort(),
    }
  }
  const isReady = async (name: string) =>
    (await world.get(name))?.status?.conditions?.find(each => each.type === 'Ready')?.status
  const runControllers = () => {
    controllers = new AbortController()
    const deps = { transport: world.transport, clock: world.clock, logger: silent }
    void runAll(controllerComponents(deps, controllers.signal), deps, controllers.signal)
  }
  /** Another node, which is well: evictions go on. */
  async function addNeighbour() {
    const time = rfc3339(world.clock.now())
    const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: time, lastTransitionTime: time }
    const client = world.admin.kind(nodes)
    await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' }, spec: {} })
    await client.patch({ name: 'n2' }, { status: { conditions: [ready] } }, { type: 'merge', subresource: 'status' })
  }
  const WELL = { ready: ['True', 'KubeletReady', 'kubelet is posting ready status'], taints: [] }
  const SHUTTING_DOWN = ['False', 'KubeletNotReady', 'node is shutting down']

  it('says that the node is not ready before the first pod is stopped, and lets it be tainted', async () => {
    world.stopAgent()
    const seen: unknown[] = []
    await world.runAgent({
      driver: driver => ({
        ...driver,
        async stopContainer(id, graceMs) {
          seen.push((await node()).ready)
          return driver.stopContainer(id, graceMs)
        },
      }),
    })
    await world.create('web', web)
    runControllers()
    await addNeighbour()
    await world.advance(1000)
    assert.deepEqual(await node(), WELL)
    const drained = world.drain(10_000)
    await world.advance(1000)
    await drained
    assert.deepEqual(seen, [SHUTTING_DOWN])
    // It says so as long as it is there, whatever others say.
    await world.advance(20_000)
    assert.deepEqual(await node(), { ready: SHUTTING_DOWN, taints: ['not-ready:NoExecute', 'not-ready:NoSchedule'] })
  })

  it('begins no pod any more: the next life does, and finds the others as they were', async () => {
    await world.create('web', web)
    const starts = () => world.log.filter(each => each.startsWith('start'))
    const before = starts()
    const drained = world.drain(10_000)
    await world.rest()
    await world.create('late', web)
    await world.advance(5000)
    await drained
    assert.deepEqual([(await world.get('late'))?.status?.phase, await isReady('web')], ['Pending', 'False'])
    assert.ok(world.log.includes('end main 137'))
    assert.deepEqual([before.length, starts()], [1, before])
    world.stopAgent()
    await world.runAgent()
    await world.advance(1000)
    assert.deepEqual([await isReady('late'), await isReady('web'), (await node()).ready], ['True', 'True', WELL.ready])
  })

  it('that was started only to end what runs ends it by its rules, and starts nothing', async () => {
    world.scripts.set('main', { obeysAfterMs: 100 })
    const lifecycle = { preStop: { exec: { command: ['bye'] } } }
    await world.create('web', { containers: [{ ...web.containers[0], lifecycle }] })
    await world.advance(1000)
    world.stopAgent()
    await world.create('later', web)
    const before = world.log.length
    await world.runAgent({ ending: true })
    const drained = world.drain(10_000)
    await world.create('last', web)
    await world.advance(5000)
    await drained
    // Its own grace, and then what is left of it.
    const others = world.log.slice(before).filter(each => !each.startsWith('stop main '))
    assert.deepEqual(others, ['exec main bye', 'end main 143'])
    // What was stopped before stays so.
    world.stopAgent()
    const rest = world.log.length
    await world.runAgent({ ending: true })
    await world.advance(5000)
    await world.drain(10_000)
    assert.deepEqual(world.log.slice(rest), [])
  })

  it('costs no pod, however long the pause: controllers that start first give the node the whole toleration', async () => {
    await world.create('web', web)
    const { uid } = (await world.get('web'))?.metadata ?? {}
    runControllers()
    await addNeighbour()
    const drained = world.drain(10_000)
    await world.advance(1000)
    await drained
    world.stopAgent()
    controllers.abort()
    await world.advance(3600_000)
    runControllers()
    await world.advance(30_000)
    assert.ok((await node()).taints.includes('not-ready:NoExecute'))
    await world.runAgent()
    await world.advance(1000)
    assert.deepEqual([await node(), await isReady('web')], [WELL, 'True'])
    await world.advance(400_000)
    const { metadata } = (await world.get('web'))!
    assert.deepEqual([metadata?.uid, metadata?.deletionTimestamp], [uid, undefined])
  })

  it('waits no longer than a second for a server that is away', async () => {
    world.stopAgent()
    let away = false
    const cut = (transport: Transport): Transport =>
      (request => (away ? new Promise(() => {}) : transport(request))) as Transport
    await world.runAgent({ transport: cut })
    await world.create('web', web)
    away = true
    let isOver = false
    void world.drain(10_000).then(() => (isOver = true))
    await world.advance(4000)
    assert.ok(isOver)
    assert.ok(world.log.includes('end main 137'))
  })

  it('tells again what a server refused to hear', async () => {
    world.stopAgent()
    let refuses = false
    const refusing = (transport: Transport): Transport =>
      (request =>
        refuses && request.path.includes('/nodes/n1')
          ? Promise.reject(new StatusError({ code: 503, message: 'later' } as never))
          : transport(request)) as Transport
    await world.runAgent({ transport: refusing })
    refuses = true
    const drained = world.drain(10_000)
    await world.advance(1000)
    await drained
    assert.deepEqual((await node()).ready, WELL.ready)
    refuses = false
    await world.advance(2000)
    assert.deepEqual((await node()).ready, SHUTTING_DOWN)
  })
})
