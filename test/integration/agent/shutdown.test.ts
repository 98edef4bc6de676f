/** A node whose machine shuts down, on a virtual clock; what tells of that is played. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { nodes } from '../../../src/agent/resources.ts'
import { DEFAULT_SETTINGS, type NodeSettings } from '../../../src/agent/settings.ts'
import type { ShutdownListener } from '../../../src/agent/shutdown/source.ts'
import { PriorityClass } from '../../../src/api/kinds/scheduling/priority-class.ts'
import { startScripted } from './scripted.ts'

const HIGH = 1000
const PERIODS: NodeSettings = {
  ...DEFAULT_SETTINGS,
  shutdown: [
    { priority: 0, seconds: 10 },
    { priority: HIGH, seconds: 5 },
  ],
}
const pod = (name: string, more: object = {}) => ({
  terminationGracePeriodSeconds: 8,
  containers: [{ name, image: 'image', command: ['run'] }],
  ...more,
})

describe('a node whose machine shuts down', () => {
  let world: Awaited<ReturnType<typeof startScripted>>
  let machine: ShutdownListener | undefined
  /** The machine may go on with it. */
  let mayGoOn = false
  beforeEach(async () => {
    mayGoOn = false
    machine = undefined
    world = await startScripted()
    await world.admin.kind(PriorityClass).create({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: HIGH,
    })
    await run(PERIODS)
  })
  afterEach(() => world.close())

  async function run(settings: NodeSettings) {
    world.stopAgent()
    // Names of events are made of the time.
    await world.advance(1000)
    await world.runAgent({ settings, machineShutdown: { follow: listener => void (machine = listener) } })
  }
  const begin = () => void machine!.begins().then(() => (mayGoOn = true))
  const ready = async () => {
    const { status } = await world.admin.kind(nodes).get({ name: 'n1' })
    const found = status?.conditions?.find(each => each.type === 'Ready')
    return `${found?.status} ${found?.reason}: ${found?.message}`
  }
  const NOT_READY = 'False KubeletNotReady: node is shutting down'
  const phase = async (name: string) => (await world.get(name))?.status?.phase
  const log = () => world.log.filter(each => !each.startsWith('start'))

  it('says that it is not ready, and ends pods by priority, each group when the one before has ended', async () => {
    await world.create('low', pod('low'))
    await world.create('high', pod('high', { priorityClassName: 'high' }))
    world.scripts.set('low', { obeysAfterMs: 3000 })
    world.scripts.set('high', { obeysAfterMs: 1000 })
    begin()
    await world.rest()
    assert.equal(await ready(), NOT_READY)
    assert.deepEqual(log(), ['stop low 8000'])
    await world.advance(2900)
    assert.deepEqual([await phase('low'), await phase('high'), mayGoOn], ['Running', 'Running', false])
    await world.advance(200)
    assert.deepEqual(log(), ['stop low 8000', 'end low 143', 'stop high 5000'])
    const { status } = (await world.get('low'))!
    assert.deepEqual(
      [status?.phase, status?.reason, status?.message],
      ['Failed', 'Terminated', 'Pod was terminated in response to imminent node shutdown.'],
    )
    const disrupted = status?.conditions?.find(each => each.type === 'DisruptionTarget')
    assert.deepEqual(
      [disrupted?.status, disrupted?.reason, disrupted?.message],
      ['True', 'TerminationByKubelet', status?.message],
    )
    await world.advance(1100)
    assert.deepEqual([await phase('high'), mayGoOn], ['Failed', true])
    const told = await world.events('n1')
    assert.ok(told.includes('NodeShutdown: Shutdown manager detected shutdown event'))
    assert.ok(told.includes('NodeNotReady: Node n1 status is now: NodeNotReady'))
  })

  it('leaves pods that do not end to the kernel when their time is over, and serves no other with them', async () => {
    await world.create('stubborn', pod('stubborn', { terminationGracePeriodSeconds: 600 }))
    await world.create('high', pod('high', { priorityClassName: 'high', terminationGracePeriodSeconds: 600 }))
    begin()
    await world.rest()
    const { status } = (await world.get('stubborn'))!
    assert.equal(status?.phase, 'Running')
    assert.equal(status?.conditions?.find(each => each.type === 'Ready')?.status, 'False')
    await world.advance(9900)
    assert.deepEqual(log(), ['stop stubborn 10000'])
    await world.advance(200)
    assert.deepEqual(log().toSorted(), ['end stubborn 137', 'stop high 5000', 'stop stubborn 10000'])
    await world.advance(5100)
    assert.ok(mayGoOn)
    assert.deepEqual([await phase('stubborn'), await phase('high')], ['Failed', 'Failed'])
  })

  it('shortens the time of pods that are being deleted, and lets those that have succeeded be', async () => {
    await world.create('leaving', pod('leaving', { terminationGracePeriodSeconds: 600 }))
    await world.create('done', pod('done', { restartPolicy: 'Never' }))
    world.end('done', 0)
    await world.rest()
    await world.client.delete({ namespace: 'default', name: 'leaving' })
    await world.advance(1000)
    begin()
    await world.advance(10_100)
    assert.ok(log().includes('end leaving 137'))
    assert.equal(await world.get('leaving'), undefined)
    assert.equal(await phase('done'), 'Succeeded')
    assert.ok(mayGoOn)
  })

  it('refuses pods that come meanwhile', async () => {
    begin()
    await world.rest()
    await world.create('late', pod('late'))
    const { status } = (await world.get('late'))!
    assert.deepEqual(
      [status?.phase, status?.reason, status?.message],
      ['Failed', 'NodeShutdown', 'Pod was rejected: Pod was rejected as the node is shutting down.'],
    )
  })

  it('is as before when the shutdown is cancelled', async () => {
    begin()
    await world.rest()
    machine!.cancelled()
    await world.rest()
    assert.equal(await ready(), 'True KubeletReady: kubelet is posting ready status')
    await world.create('late', pod('late'))
    assert.equal(await phase('late'), 'Running')
    const told = await world.events('n1')
    assert.ok(told.includes('NodeShutdown: Shutdown manager detected shutdown cancellation'))
    assert.ok(told.includes('NodeReady: Node n1 status is now: NodeReady'))
  })

  it('ends no more pods when the shutdown is cancelled while the first of them end', async () => {
    await world.create('low', pod('low'))
    await world.create('high', pod('high', { priorityClassName: 'high' }))
    begin()
    await world.advance(1000)
    machine!.cancelled()
    await world.advance(20_000)
    assert.deepEqual(log(), ['stop low 8000', 'end low 137'])
    assert.deepEqual([await phase('low'), await phase('high')], ['Failed', 'Running'])
    // The next one is as any other.
    mayGoOn = false
    begin()
    await world.advance(5100)
    assert.deepEqual([await phase('high'), mayGoOn], ['Failed', true])
  })

  it('is the same end when the program is told to stop, and one as by `tutti down` where no periods are set', async () => {
    await world.create('low', pod('low'))
    begin()
    let isOver = false
    void world.shutDown(60_000).then(() => (isOver = true))
    await world.advance(8100)
    assert.deepEqual([isOver, mayGoOn, await phase('low')], [true, true, 'Failed'])
    await run(DEFAULT_SETTINGS)
    await world.create('again', pod('again'))
    void world.shutDown(60_000)
    await world.advance(8100)
    assert.deepEqual([await ready(), await phase('again')], [NOT_READY, 'Running'])
    await run(DEFAULT_SETTINGS)
    await world.advance(1000)
    assert.equal((await world.container('again', 'again')).ready, true)
  })
})
