/** A node with an address of each family, and what its pods are told of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Machine } from '../../../src/agent/node/machine.ts'
import { startNode } from '../../../src/agent/node/registration.ts'
import { nodes } from '../../../src/agent/resources.ts'
import { openSimulatedDriver } from '../../../src/agent/runtimes/simulated/driver.ts'
import { ADMIN, nodeUser, startServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../../../src/client/client.ts'
import { silent } from '../../../src/lib/log.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'

test('startNode tells both addresses and ranges of a node, at each of its starts', async () => {
  const clock = virtualClock()
  const { server } = await startServer({ clock })
  const admin = createClient(server.transport(ADMIN)).kind(nodes)
  const start = async (addresses: readonly string[]) => {
    const scope = new AbortController()
    await startNode(
      {
        client: createClient(server.transport(nodeUser('n1'))),
        clock,
        logger: silent,
        name: 'n1',
        addresses: addresses.map(address => ({ type: 'InternalIP', address })),
        podCidr: '10.244.0.0/24,fd00:10:244::/64',
        labels: {},
        machine: {
          info: { operatingSystem: 'linux', architecture: 'amd64' } as Machine['info'],
          capacity: { cpu: '1', memory: '1Gi', pods: '10' },
        },
        runtimes: [openSimulatedDriver({ clock, handlers: [''], address: () => '10.244.0.2', script: {} })],
        version: 'v1.36.3',
      },
      scope.signal,
    )
    scope.abort()
    const { spec, status } = await admin.get({ name: 'n1' })
    assert.deepEqual(spec?.podCIDRs, ['10.244.0.0/24', 'fd00:10:244::/64'])
    assert.equal(spec?.podCIDR, '10.244.0.0/24')
    return status?.addresses?.filter(({ type }) => type === 'InternalIP').map(({ address }) => address)
  }
  assert.deepEqual(await start(['10.244.0.1', 'fd00:10:244::1']), ['10.244.0.1', 'fd00:10:244::1'])
  assert.deepEqual(await start(['10.244.0.1', 'fd00:10:244::1']), ['10.244.0.1', 'fd00:10:244::1'])
  assert.deepEqual(await start(['10.244.0.1']), ['10.244.0.1'])
  await server.close()
})
