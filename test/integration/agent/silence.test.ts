/** What becomes of a node that was silent, with the controllers that judge it, on a virtual clock. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { leases, nodes, pods } from '../../../src/agent/resources.ts'
import type { Node, Pod } from '../../../src/api/generated/types/core-v1.ts'
import { createInformer } from '../../../src/client/informer.ts'
import { runAll } from '../../../src/control/lifetime.ts'
import { controllerComponents } from '../../../src/controllers/all.ts'
import { silent } from '../../../src/lib/log.ts'
import { startScripted } from './scripted.ts'

const readiness = (object: Node | Pod | undefined) =>
  (object?.status?.conditions as { type: string; status: string }[] | undefined)?.find(each => each.type === 'Ready')
    ?.status

describe('startAgent after a silence', () => {
  let world: Awaited<ReturnType<typeof startScripted>>
  /** Ends everything beside server and agent. */
  let around: AbortController
  beforeEach(async () => {
    world = await startScripted()
    around = new AbortController()
    await world.create('web', {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'image', command: ['run'] }],
    })
  })
  afterEach(async () => {
    around.abort()
    await world.close()
  })
  const node = () => world.admin.kind(nodes).get({ name: 'n1' })
  const pod = () => world.client.get({ namespace: 'default', name: 'web' })
  const runControllers = () => {
    const deps = { transport: world.transport, clock: world.clock, logger: silent }
    void runAll(controllerComponents(deps, around.signal), deps, around.signal)
  }
  /** Every state of readiness that the node and the pod have from now on. */
  const observe = async () => {
    const seen = { node: new Set<string | undefined>(), pod: new Set<string | undefined>(), evicting: 0 }
    const deps = { clock: world.clock, logger: silent }
    createInformer<Node>(world.admin, nodes, {}, deps, around.signal).onChange(({ current }) => {
      seen.node.add(readiness(current))
      // The taint that every node registers with keeps new pods away only.
      seen.evicting += current?.spec?.taints?.filter(each => each.effect === 'NoExecute').length ?? 0
    })
    createInformer<Pod>(world.admin, pods, {}, deps, around.signal).onChange(({ current }) => {
      seen.pod.add(readiness(current))
    })
    await world.rest()
    return seen
  }

  it('says at once that the node is well when another says it is not', async () => {
    const { status } = await node()
    const conditions = status?.conditions?.map(each => ({ ...each, status: 'Unknown', reason: 'NodeStatusUnknown' }))
    const body = { status: { conditions } }
    await world.admin.kind(nodes).patch({ name: 'n1' }, body, { type: 'strategic', subresource: 'status' })
    await world.rest()
    const told = (await node()).status?.conditions?.map(each => `${each.type} ${each.status} ${each.reason}`)
    assert.deepEqual(told?.sort(), [
      'DiskPressure False KubeletHasNoDiskPressure',
      'MemoryPressure False KubeletHasSufficientMemory',
      'PIDPressure False KubeletHasSufficientPID',
      'Ready True KubeletReady',
    ])
  })

  it('makes its node again at once when somebody deletes it, with a lease of its own', async () => {
    const before = await node()
    await world.admin.kind(nodes).delete({ name: 'n1' })
    await world.advance(1000)
    const again = await node()
    assert.notEqual(again.metadata?.uid, before.metadata?.uid)
    assert.equal(readiness(again), 'True')
    const lease = await world.admin.kind(leases).get({ namespace: 'kube-node-lease', name: 'n1' })
    await world.advance(20_000)
    const later = await world.admin.kind(leases).get({ namespace: 'kube-node-lease', name: 'n1' })
    assert.ok((later.spec?.renewTime ?? '') > (lease.spec?.renewTime ?? ''))
  })

  it('writes nothing to a node that another machine has become', async () => {
    const client = world.admin.kind(nodes)
    await client.patch(
      { name: 'n1' },
      { metadata: { annotations: { 'example.com/machine': 'two' } } },
      { type: 'merge' },
    )
    const status = { addresses: [{ type: 'InternalIP', address: '10.0.0.2' }], conditions: null }
    await client.patch({ name: 'n1' }, { status }, { type: 'merge', subresource: 'status' })
    // Longer than the status stands without being renewed.
    await world.advance(400_000)
    assert.deepEqual((await node()).status?.addresses, status.addresses)
    assert.equal(readiness(await node()), undefined)
  })

  it('writes the status of a pod that others contradict again and again no more than once a second', async () => {
    const revision = async () => Number((await pod()).metadata?.resourceVersion)
    let written = 0
    for (let turn = 0; turn < 10; turn++) {
      if ((await pod()).status?.phase === 'Running') written++
      await world.client.patch(
        { namespace: 'default', name: 'web' },
        { status: { phase: 'Unknown' } },
        { type: 'merge', subresource: 'status' },
      )
      await world.advance(200)
    }
    assert.ok(written >= 2 && written <= 4, `${written}`)
    await world.advance(1500)
    assert.equal((await pod()).status?.phase, 'Running')
    const still = await revision()
    await world.advance(5000)
    assert.equal(await revision(), still)
  })

  it('writes to a node that others contradict again and again no more than once a second', async () => {
    const client = world.admin.kind(nodes)
    const seen = await observe()
    let contradicted = 0
    for (let turn = 0; turn < 10; turn++) {
      const body = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
      if (readiness(await node()) === 'True') contradicted++
      await client.patch({ name: 'n1' }, body, { type: 'strategic', subresource: 'status' })
      await world.advance(200)
    }
    assert.ok(contradicted >= 2 && contradicted <= 3, `${contradicted}`)
    await world.advance(1000)
    assert.equal(readiness(await node()), 'True')
    assert.deepEqual([...seen.node].sort(), ['True', 'Unknown'])
  })

  it('writes the status of a pod again when another has changed it, and leaves conditions of others', async () => {
    const before = (await pod()).status
    assert.equal(readiness(await pod()), 'True')
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'NodeNotReady', message: 'x' },
      { type: 'example.com/gate', status: 'True' },
    ]
    const body = { status: { conditions, phase: 'Failed' } }
    const ref = { namespace: 'default', name: 'web' }
    await world.client.patch(ref, body, { type: 'strategic', subresource: 'status' })
    await world.rest()
    const { conditions: after = [], ...rest } = (await pod()).status ?? {}
    const { conditions: first = [], ...others } = before ?? {}
    assert.deepEqual(rest, others)
    assert.deepEqual(
      after.filter(each => each.type !== 'example.com/gate'),
      first,
    )
    assert.equal(after.find(each => each.type === 'example.com/gate')?.status, 'True')
    const { resourceVersion } = (await pod()).metadata ?? {}
    await world.advance(5000)
    assert.equal((await pod()).metadata?.resourceVersion, resourceVersion, 'a status that stands is left alone')
  })

  it('makes node and pods ready as soon as it is back', async () => {
    runControllers()
    await world.advance(10_000)
    world.stopAgent()
    await world.advance(60_000)
    assert.equal(readiness(await node()), 'Unknown')
    assert.equal(readiness(await pod()), 'False')
    await world.runAgent()
    await world.rest()
    assert.equal(readiness(await node()), 'True')
    assert.equal(readiness(await pod()), 'True')
    assert.equal((await node()).spec?.taints?.length ?? 0, 0)
  })

  it('tells that pods serve nobody before it stops them with itself, and takes them up again', async () => {
    world.stopAgent()
    const seen: unknown[] = []
    await world.runAgent({
      driver: driver => ({
        ...driver,
        async stopContainer(id, graceMs) {
          const { phase } = (await pod()).status ?? {}
          seen.push([readiness(await pod()), phase])
          return driver.stopContainer(id, graceMs)
        },
      }),
    })
    await world.rest()
    const drained = world.drain(10_000)
    await world.advance(10_000)
    await drained
    assert.deepEqual(seen, [['False', 'Running']])
    assert.deepEqual([readiness(await pod()), (await pod()).status?.phase], ['False', 'Running'])
    world.stopAgent()
    await world.runAgent()
    await world.advance(1000)
    assert.equal(readiness(await pod()), 'True')
  })

  it('loses nothing by a pause of hours: controllers that start first give it its time', async () => {
    world.stopAgent()
    await world.advance(5 * 3600_000)
    const seen = await observe()
    runControllers()
    await world.advance(35_000)
    await world.runAgent()
    await world.advance(400_000)
    assert.deepEqual([...seen.node], ['True'])
    assert.deepEqual([...seen.pod], ['True'])
    assert.equal(seen.evicting, 0)
    assert.equal((await world.container('web')).restartCount, 0)
  })
})
