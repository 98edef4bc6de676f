/** Pods that name their node themselves, and are judged by it alone. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { nodes } from '../../../src/agent/resources.ts'
import type { Transport } from '../../../src/client/transport.ts'
import { startScripted } from './scripted.ts'

const containers = [{ name: 'main', image: 'image', command: ['run'] }]

describe('a node judges pods that name it', () => {
  let world: Awaited<ReturnType<typeof startScripted>>
  beforeEach(async () => {
    world = await startScripted()
  })
  afterEach(() => world.close())
  const told = async (name: string) => {
    const { phase, reason } = (await world.get(name))?.status ?? {}
    return [phase, reason]
  }
  const change = async (body: object) => {
    await world.admin.kind(nodes).patch({ name: 'n1' }, body, { type: 'merge' })
    await world.rest()
  }

  it('by its labels, its taints and its resources as they are now', async () => {
    await world.create('elsewhere', { containers, nodeSelector: { disk: 'ssd' } })
    assert.deepEqual(await told('elsewhere'), ['Failed', 'NodeAffinity'])
    assert.deepEqual(await world.events('elsewhere'), [
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ])
    await change({ metadata: { labels: { disk: 'ssd' } } })
    await world.create('here', { containers, nodeSelector: { disk: 'ssd' } })
    assert.deepEqual(await told('here'), ['Running', undefined])
    await change({ spec: { taints: [{ key: 'broken', effect: 'NoExecute' }] } })
    await world.create('tainted', { containers })
    assert.deepEqual(await told('tainted'), ['Failed', 'TaintToleration'])
    await world.create('tolerant', { containers, tolerations: [{ operator: 'Exists' }] })
    assert.deepEqual(await told('tolerant'), ['Running', undefined])
    // What runs is not judged again.
    world.stopAgent()
    await world.runAgent()
    await world.advance(1000)
    assert.deepEqual(await told('here'), ['Running', undefined])
  })

  it('by resources that somebody has written to its status', async () => {
    const body = { status: { capacity: { 'example.com/dongle': '1' }, allocatable: { 'example.com/dongle': '1' } } }
    await world.admin.kind(nodes).patch({ name: 'n1' }, body, { type: 'merge', subresource: 'status' })
    await world.rest()
    const resources = { limits: { 'example.com/dongle': '1' } }
    await world.create('first', { containers: [{ ...containers[0], resources }] })
    await world.create('second', { containers: [{ ...containers[0], resources }] })
    assert.deepEqual(await told('first'), ['Running', undefined])
    assert.deepEqual(await told('second'), ['Failed', 'OutOfexample.com/dongle'])
  })

  it('by what its runtime can do, and by its system', async () => {
    await world.create('strict', { containers, securityContext: { supplementalGroupsPolicy: 'Strict' } })
    assert.deepEqual(await told('strict'), ['Failed', 'SupplementalGroupsPolicyNotSupported'])
    world.stopAgent()
    await world.runAgent({
      driver: driver => ({ ...driver, capabilities: { ...driver.capabilities, strictGroups: true } }),
    })
    await world.create('again', { containers, securityContext: { supplementalGroupsPolicy: 'Strict' } })
    assert.deepEqual(await told('again'), ['Running', undefined])
    const { status } = await world.admin.kind(nodes).get({ name: 'n1' })
    assert.deepEqual(status?.features, { supplementalGroupsPolicy: true })
    await world.create('windows', { containers }, { 'kubernetes.io/os': 'windows' })
    assert.deepEqual(await told('windows'), ['Failed', 'PodOSSelectorNodeLabelDoesNotMatch'])
  })

  it('and ends others for a critical one, where that helps', async () => {
    const asking = (cpu: string) => ({ containers: [{ ...containers[0], resources: { requests: { cpu } } }] })
    const critical = { priorityClassName: 'system-node-critical' }
    world.scripts.set('main', { obeysAfterMs: 2000 })
    await world.create('small', asking('1'))
    await world.create('large', asking('2500m'))
    await world.create('plain', asking('1'))
    assert.deepEqual(await told('plain'), ['Failed', 'OutOfcpu'])
    await world.create('vital', { ...asking('2'), ...critical })
    await world.advance(1000)
    assert.deepEqual(
      [await told('vital'), await told('large')],
      [
        ['Pending', undefined],
        ['Running', undefined],
      ],
    )
    await world.advance(2000)
    assert.deepEqual(await told('large'), ['Failed', 'Preempting'])
    assert.deepEqual(
      [await told('vital'), await told('small')],
      [
        ['Running', undefined],
        ['Running', undefined],
      ],
    )
    const { status } = (await world.get('large'))!
    const disrupted = status?.conditions?.find(each => each.type === 'DisruptionTarget')
    assert.deepEqual(
      [status?.message, disrupted?.reason, disrupted?.message],
      [
        'Preempted in order to admit critical pod',
        'TerminationByKubelet',
        'Pod was preempted by Kubelet to accommodate a critical pod.',
      ],
    )
    await world.create('greedy', { ...asking('9'), ...critical })
    assert.deepEqual(await told('greedy'), ['Failed', 'UnexpectedAdmissionError'])
  })

  it('and asks for its labels again before it refuses one by them: the news may be late', async () => {
    world.stopAgent()
    const late = (transport: Transport): Transport => {
      return async request => {
        const isWatch = request.query?.watch === 'true' && request.path === '/api/v1/nodes'
        if (!isWatch) return transport(request)
        async function* events() {
          await new Promise(resolve => request.signal?.addEventListener('abort', resolve, { once: true }))
        }
        return { status: 200, events: events() }
      }
    }
    await world.runAgent({ transport: late })
    await change({ metadata: { labels: { disk: 'ssd' } } })
    await world.create('here', { containers, nodeSelector: { disk: 'ssd' } })
    assert.deepEqual(await told('here'), ['Running', undefined])
    await world.create('elsewhere', { containers, nodeSelector: { disk: 'other' } })
    assert.deepEqual(await told('elsewhere'), ['Failed', 'NodeAffinity'])
  })
})
