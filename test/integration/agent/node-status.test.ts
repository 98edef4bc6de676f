/** When a node tells its status, and what it does before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Machine } from '../../../src/agent/node/machine.ts'
import { startNode } from '../../../src/agent/node/registration.ts'
import { nodes } from '../../../src/agent/resources.ts'
import { createOutage } from '../../../src/agent/runtimes/outage.ts'
import type { RuntimeDriver } from '../../../src/agent/runtimes/runtime.ts'
import { ADMIN, nodeUser, startServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../../../src/client/client.ts'
import { silent } from '../../../src/lib/log.ts'
import { settled, virtualClock } from '../../../src/lib/virtual-clock.ts'

test('startNode tidies before each status of its own, tells changes at once, and which runtimes can start pods', async () => {
  const clock = virtualClock()
  const { server } = await startServer({ clock })
  const admin = createClient(server.transport(ADMIN)).kind(nodes)
  const scope = new AbortController()
  const scarce = new Set<'MemoryPressure'>()
  let changed = () => {}
  let tidied = 0
  const outage = createOutage(clock)
  const containers = { version: 'x://1', capabilities: { handlers: ['', 'containers'] }, outage }
  const events: string[] = []
  const told = () => events.splice(0)
  await startNode(
    {
      client: createClient(server.transport(nodeUser('n1'))),
      clock,
      logger: silent,
      name: 'n1',
      addresses: [],
      labels: {},
      machine: {
        info: { operatingSystem: 'linux', architecture: 'amd64', bootID: 'now' } as Machine['info'],
        capacity: { cpu: '1', memory: '1Gi', pods: '10' },
      },
      runtimes: [
        containers,
        { version: 'y://1', capabilities: { handlers: ['process'] } },
      ] as unknown as RuntimeDriver[],
      tell: (type, reason, message) => events.push(`${type} ${reason}: ${message}`),
      version: 'v1.36.3',
      async tidy() {
        tidied++
        return [{ names: [`tidied-${tidied}`] }]
      },
      images: async () => [{ names: ['listed'] }],
      pressure: { conditions: () => scarce, look() {}, onChange: listener => (changed = listener) },
    },
    scope.signal,
  )
  const rest = () => settled(30)
  const isShort = async () =>
    (await admin.get({ name: 'n1' })).status?.conditions?.find(each => each.type === 'MemoryPressure')?.status
  const images = async () => (await admin.get({ name: 'n1' })).status?.images?.map(({ names }) => names?.[0])
  assert.deepEqual([await isShort(), tidied, await images()], ['False', 1, ['tidied-1']])
  const well = ['HasSufficientMemory', 'HasNoDiskPressure', 'HasSufficientPID', 'Ready']
  assert.deepEqual(
    told(),
    well.map(each => `Normal Node${each}: Node n1 status is now: Node${each}`),
  )
  await clock.advance(20_000, rest)
  scarce.add('MemoryPressure')
  changed()
  await clock.advance(2_000, rest)
  assert.deepEqual([await isShort(), tidied, await images()], ['True', 1, ['listed']])
  assert.deepEqual(told(), ['Normal NodeHasInsufficientMemory: Node n1 status is now: NodeHasInsufficientMemory'])
  for (const unschedulable of [true, null])
    await admin.patch({ name: 'n1' }, { spec: { unschedulable } }, { type: 'merge' })
  await rest()
  const cordon = ['NodeNotSchedulable', 'NodeSchedulable']
  assert.deepEqual(
    told(),
    cordon.map(each => `Normal ${each}: Node n1 status is now: ${each}`),
  )
  const dongles = async () => (await admin.get({ name: 'n1' })).status?.allocatable?.['example.com/dongle']
  for (const amount of ['4', '6', null]) {
    const status = { capacity: { 'example.com/dongle': amount } }
    await admin.patch({ name: 'n1' }, { status }, { type: 'merge', subresource: 'status' })
    await clock.advance(2_000, rest)
    assert.equal(await dongles(), amount ?? undefined)
  }
  const nodeInfo = { bootID: 'before' }
  await admin.patch({ name: 'n1' }, { status: { nodeInfo } }, { type: 'merge', subresource: 'status' })
  await clock.advance(300_000, rest)
  assert.deepEqual([await isShort(), tidied, await images()], ['True', 2, ['tidied-2']])
  const handlers = async () => (await admin.get({ name: 'n1' })).status?.runtimeHandlers?.map(({ name = '' }) => name)
  assert.deepEqual(
    [await handlers(), told()],
    [['', 'containers', 'process'], ['Warning Rebooted: Node n1 has been rebooted, boot id: now']],
  )
  outage.began()
  await clock.advance(31_000, rest)
  assert.deepEqual(
    [await handlers(), told()],
    [['process'], ['Warning ContainerRuntimeDown: x://1 is away: no pod goes to it']],
  )
  containers.version = 'x://2'
  outage.over()
  await clock.advance(2_000, rest)
  assert.deepEqual(
    [await handlers(), told()],
    [['', 'containers', 'process'], ['Normal ContainerRuntimeUp: x://2 is back']],
  )
  scope.abort()
  await server.close()
})
