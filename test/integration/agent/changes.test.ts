import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Pod, ResourceRequirements } from '../../../src/api/generated/types/core-v1.ts'
import { startScripted } from './scripted.ts'

type Node = Awaited<ReturnType<typeof startScripted>>

const container = (name: string, more: object = {}) => ({ name, image: 'image', command: ['run'], ...more })
const both = (cpu: string, memory: string): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
})
const conditionOf = (pod: Pod | undefined, type: string) => pod?.status?.conditions?.find(each => each.type === type)

describe('what changes while a pod runs', () => {
  let node: Node
  before(async () => {
    node = await startScripted()
  })
  beforeEach(() => {
    node.scripts.clear()
    node.log.length = 0
  })
  after(() => node.close())

  const patch = async (name: string, subresource: string, spec: object) => {
    await node.client.patch({ namespace: 'default', name }, { spec }, { type: 'strategic', subresource })
    await node.rest()
  }
  const resize = (name: string, resources: ResourceRequirements, container_ = 'main') =>
    patch(name, 'resize', { containers: [{ name: container_, resources }] })
  const remove = async (name: string) => {
    await node.client.delete({ namespace: 'default', name }, { gracePeriodSeconds: 0 })
    await node.advance(1500)
  }

  it('an ephemeral container joins its target, is never started again, and does not hold the pod', async () => {
    node.scripts.set('main', { ends: { afterMs: 10_000, code: 0 }, obeysAfterMs: 0 })
    node.scripts.set('debugger', { ends: { afterMs: 1000, code: 3 } })
    await node.create('looked-into', { restartPolicy: 'Never', containers: [container('main')] })
    const debug = (name: string) => ({ ...container(name), targetContainerName: 'main' })
    await patch('looked-into', 'ephemeralcontainers', { ephemeralContainers: [debug('debugger')] })
    assert.deepEqual(node.log, ['start main', 'join main', 'start debugger'])
    const [told] = (await node.get('looked-into'))?.status?.ephemeralContainerStatuses ?? []
    assert.ok(told?.state?.running)
    assert.equal('started' in told, false)
    await node.advance(5000)
    const [ended] = (await node.get('looked-into'))?.status?.ephemeralContainerStatuses ?? []
    assert.deepEqual([ended?.state?.terminated?.exitCode, ended?.restartCount], [3, 0])
    assert.equal((await node.get('looked-into'))?.status?.phase, 'Running')
    node.scripts.set('second', { obeysAfterMs: 0 })
    await patch('looked-into', 'ephemeralcontainers', { ephemeralContainers: [debug('second')] })
    await node.advance(10_000)
    assert.equal((await node.get('looked-into'))?.status?.phase, 'Succeeded')
    assert.ok(node.log.includes('end second 143'), node.log.join(', '))
    await remove('looked-into')
  })

  it('a pod is ready as long as its readiness gates say so, in both directions', async () => {
    const conditionType = 'example.com/gate'
    await node.create('gated', { readinessGates: [{ conditionType }], containers: [container('main')] })
    const ready = async () => conditionOf(await node.get('gated'), 'Ready')?.status
    assert.equal(await ready(), 'False')
    for (const status of ['True', 'False', 'True', 'False'] as const) {
      const conditions = [{ type: conditionType, status }]
      const ref = { namespace: 'default', name: 'gated' }
      await node.client.patch(ref, { status: { conditions } }, { type: 'strategic', subresource: 'status' })
      await node.advance(1500)
      assert.equal(conditionOf(await node.get('gated'), conditionType)?.status, status, 'it is left as it was written')
      assert.equal(await ready(), status)
    }
    await remove('gated')
  })

  it('an ephemeral container whose target does not run waits and says so', async () => {
    node.scripts.set('main', { ends: { afterMs: 100, code: 1 } })
    await node.create('no-target', { restartPolicy: 'Always', containers: [container('other'), container('main')] })
    await node.advance(500)
    await node.advance(500)
    await patch('no-target', 'ephemeralcontainers', {
      ephemeralContainers: [{ ...container('debugger'), targetContainerName: 'main' }],
    })
    const [told] = (await node.get('no-target'))?.status?.ephemeralContainerStatuses ?? []
    assert.deepEqual(told?.state?.waiting, {
      reason: 'CreateContainerConfigError',
      message: 'unable to find target container main',
    })
    await remove('no-target')
  })

  it('a resize changes limits while the container runs, and tells each step', async () => {
    await node.create('grows', { containers: [container('main', { resources: both('100m', '64Mi') })] })
    node.log.length = 0
    await resize('grows', both('200m', '128Mi'))
    assert.deepEqual(
      node.log.map(each => each.split(' ').slice(0, 2).join(' ')),
      ['update pod', 'update main', 'update pod'],
    )
    assert.match(node.log[0]!, /"cpuShares":204,.*"cpuQuota":20000,.*"memoryLimit":134217728/)
    const status = await node.container('grows')
    assert.deepEqual(status.resources, both('200m', '128Mi'))
    assert.deepEqual(status.allocatedResources, both('200m', '128Mi').requests)
    assert.equal(status.restartCount, 0)
    const pod = await node.get('grows')
    assert.equal(conditionOf(pod, 'PodResizeInProgress'), undefined)
    assert.equal(conditionOf(pod, 'PodResizePending'), undefined)
    assert.deepEqual(pod?.status?.allocatedResources, both('200m', '128Mi').requests)
    assert.equal(pod?.status?.observedGeneration, 2)
    const events = await node.events('grows')
    const json =
      '{"containers":[{"name":"main","resources":{"requests":{"cpu":"200m","memory":"128Mi"},"limits":{"cpu":"200m","memory":"128Mi"}}}],"generation":2}'
    assert.ok(events.includes(`ResizeStarted: Pod resize started: ${json}`), events.join('\n'))
    assert.ok(events.includes(`ResizeCompleted: Pod resize completed: ${json}`))
    await remove('grows')
  })

  it('a resize is done once where the kernel does not tell CPU shares as they were given', async () => {
    node.scripts.set('main', { withoutShares: true })
    await node.create('rounded', { containers: [container('main', { resources: both('100m', '64Mi') })] })
    assert.deepEqual(node.log, ['start main'])
    await resize('rounded', both('200m', '64Mi'))
    assert.equal(node.log.filter(each => each.startsWith('update main')).length, 1, node.log.join('\n'))
    assert.deepEqual((await node.container('rounded')).resources, both('200m', '64Mi'))
    await remove('rounded')
  })

  it('a resize that wants a new instance stops the old one first, once', async () => {
    node.scripts.set('main', { obeysAfterMs: 0 })
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]
    await node.create('again', { containers: [container('main', { resources: both('100m', '64Mi'), resizePolicy })] })
    await resize('again', both('200m', '64Mi'))
    assert.equal((await node.container('again')).restartCount, 0)
    await resize('again', both('200m', '128Mi'))
    await node.advance(100)
    const status = await node.container('again')
    assert.equal(status.restartCount, 1)
    assert.ok(status.state?.running)
    assert.deepEqual(status.resources, both('200m', '128Mi'))
    assert.equal(conditionOf(await node.get('again'), 'PodResizeInProgress'), undefined)
    assert.ok((await node.events('again')).includes('Killing: Container main resize requires restart'))
    await remove('again')
  })

  it('a resize for which there is no room waits until there is, also over a new life of the node', async () => {
    await node.create('neighbour', { containers: [container('main', { resources: both('3', '64Mi') })] })
    await node.create('wants', { containers: [container('main', { resources: both('500m', '64Mi') })] })
    node.log.length = 0
    await resize('wants', both('2', '64Mi'))
    const pending = await node.get('wants')
    const condition = conditionOf(pending, 'PodResizePending')
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message, condition?.observedGeneration],
      ['True', 'Deferred', "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000", 2],
    )
    assert.deepEqual((await node.container('wants')).resources, both('500m', '64Mi'))
    assert.deepEqual(node.log, [])
    node.stopAgent()
    await node.runAgent()
    await node.rest()
    assert.equal(conditionOf(await node.get('wants'), 'PodResizePending')?.reason, 'Deferred')
    assert.deepEqual((await node.container('wants')).allocatedResources, both('500m', '64Mi').requests)
    await remove('neighbour')
    assert.equal(conditionOf(await node.get('wants'), 'PodResizePending'), undefined)
    assert.deepEqual((await node.container('wants')).resources, both('2', '64Mi'))
    await remove('wants')
  })

  it('what waits for room takes none of it: a new pod is admitted by what others have', async () => {
    await node.create('large', { containers: [container('main', { resources: both('2', '64Mi') })] })
    await node.create('small', { containers: [container('main', { resources: both('1', '64Mi') })] })
    await resize('small', both('3', '64Mi'))
    await node.create('new', { containers: [container('main', { resources: both('1', '64Mi') })] })
    assert.equal((await node.get('new'))?.status?.phase, 'Running')
    for (const name of ['large', 'small', 'new']) await remove(name)
  })

  it('a pod that has ended waits for no room any more', async () => {
    node.scripts.set('main', { ends: { afterMs: 5000, code: 0 } })
    const resources = both('1', '64Mi')
    await node.create('fills', { containers: [container('main', { resources: both('3', '64Mi') })] })
    await node.create('ends', { restartPolicy: 'Never', containers: [container('main', { resources })] })
    await resize('ends', both('2', '64Mi'))
    assert.equal(conditionOf(await node.get('ends'), 'PodResizePending')?.reason, 'Deferred')
    await node.advance(6000)
    const pod = await node.get('ends')
    assert.deepEqual([pod?.status?.phase, conditionOf(pod, 'PodResizePending')], ['Succeeded', undefined])
    for (const name of ['fills', 'ends']) await remove(name)
  })

  it('memory is not limited below what is in use: that is tried again, and said', async () => {
    node.scripts.set('main', { memory: 100 << 20 })
    await node.create('shrinks', { containers: [container('main', { resources: both('100m', '128Mi') })] })
    await resize('shrinks', both('100m', '64Mi'))
    const message = `attempting to set container "main" memory limit (${64 << 20}) below current usage (${100 << 20})`
    const condition = conditionOf(await node.get('shrinks'), 'PodResizeInProgress')
    assert.deepEqual([condition?.reason, condition?.message], ['Error', message])
    assert.deepEqual((await node.container('shrinks')).resources, both('100m', '128Mi'))
    assert.deepEqual((await node.container('shrinks')).allocatedResources, both('100m', '64Mi').requests)
    node.scripts.set('main', { memory: 10 << 20 })
    await node.advance(2000)
    assert.equal(conditionOf(await node.get('shrinks'), 'PodResizeInProgress'), undefined)
    assert.deepEqual((await node.container('shrinks')).resources, both('100m', '64Mi'))
    assert.ok(
      (await node.events('shrinks')).some(each => each.startsWith('ResizeError: Pod resize error: {"containers"')),
    )
    await remove('shrinks')
  })

  it('a sandbox that dies is made anew with all that ran in it, init containers first', async () => {
    node.scripts.set('init', { ends: { afterMs: 100, code: 0 } })
    await node.create('fallen', { initContainers: [container('init')], containers: [container('main')] })
    await node.advance(200)
    node.log.length = 0
    node.killSandbox((await node.get('fallen'))!.metadata!.uid!)
    await node.rest()
    await node.advance(200)
    assert.deepEqual(node.log, ['end main 137', 'start init', 'end init 0', 'start main'])
    assert.ok((await node.events('fallen')).some(each => each.startsWith('SandboxChanged: Pod sandbox changed')))
    assert.equal((await node.container('fallen')).restartCount, 1)
    assert.equal((await node.container('fallen', 'init')).restartCount, 1)
    assert.equal((await node.get('fallen'))?.status?.phase, 'Running')
    await remove('fallen')
  })

  it('a pod that is never to run again fails with its sandbox', async () => {
    await node.create('once', { restartPolicy: 'Never', containers: [container('main')] })
    node.killSandbox((await node.get('once'))!.metadata!.uid!)
    await node.rest()
    assert.equal((await node.get('once'))?.status?.phase, 'Failed')
    assert.equal((await node.container('once')).state?.terminated?.exitCode, 137)
    await remove('once')
  })

  it('containers that the runtime lost are started anew or have failed, as the policy has it', async () => {
    await node.create('lost', { containers: [container('main')] })
    await node.create('lost-once', { restartPolicy: 'Never', containers: [container('main')] })
    node.stopAgent()
    for (const name of ['lost', 'lost-once']) node.forget((await node.get(name))!.metadata!.uid!)
    node.log.length = 0
    await node.runAgent()
    await node.rest()
    assert.deepEqual(node.log, ['start main'])
    const started = await node.container('lost')
    assert.deepEqual([started.restartCount, started.lastState?.terminated?.reason], [1, 'ContainerStatusUnknown'])
    assert.ok(started.state?.running)
    const once = await node.container('lost-once')
    assert.deepEqual(
      [once.state?.terminated?.reason, once.state?.terminated?.exitCode, once.restartCount],
      ['ContainerStatusUnknown', 137, 0],
    )
    assert.equal((await node.get('lost-once'))?.status?.phase, 'Failed')
    for (const name of ['lost', 'lost-once']) await remove(name)
  })

  it('starts all containers anew when one ends as its rule has it, once for each end', async () => {
    node.scripts.set('init', { ends: { afterMs: 100, code: 0 } })
    const exitCodes = { operator: 'In', values: [42] }
    const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes }]
    await node.create('all', {
      restartPolicy: 'Never',
      initContainers: [container('init')],
      containers: [container('main'), container('watcher', { restartPolicy: 'Never', restartPolicyRules })],
    })
    await node.advance(200)
    const condition = async () => conditionOf(await node.get('all'), 'AllContainersRestarting')?.status
    assert.equal(await condition(), 'False')
    node.log.length = 0
    node.end('watcher', 42)
    await node.rest()
    await node.advance(200)
    assert.deepEqual(node.log, [
      'end watcher 42',
      'stop main 0',
      'end main 137',
      'start init',
      'end init 0',
      'start main',
      'start watcher',
    ])
    const pod = await node.get('all')
    assert.deepEqual(
      [...pod!.status!.initContainerStatuses!, ...pod!.status!.containerStatuses!].map(
        each => `${each.name} ${each.restartCount} ${each.lastState?.terminated?.reason}`,
      ),
      ['init 1 RestartingAllContainers', 'main 1 RestartingAllContainers', 'watcher 1 RestartingAllContainers'],
    )
    assert.deepEqual([pod?.status?.phase, await condition()], ['Running', 'False'])
    node.log.length = 0
    node.end('watcher', 42)
    await node.advance(5000)
    assert.deepEqual(node.log, ['end watcher 42'])
    assert.equal((await node.container('all', 'watcher')).state?.waiting?.reason, 'CrashLoopBackOff')
    await node.advance(6000)
    assert.equal((await node.container('all', 'main')).restartCount, 2)
    node.end('watcher', 1)
    node.end('main', 0)
    await node.rest()
    assert.deepEqual([(await node.get('all'))?.status?.phase, await condition()], ['Failed', 'False'])
    await remove('all')
  })
})
