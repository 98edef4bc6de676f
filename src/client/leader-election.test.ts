import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '../api/kinds/coordination/lease.ts'
import { startCluster } from '../cmd/testing.ts'
import { silent } from '../lib/log.ts'
import { type LeaderElectionOptions, runAsLeader } from './leader-election.ts'

const lease = { namespace: 'kube-system', name: 'test' }

function contender(options: Omit<LeaderElectionOptions, 'lease' | 'logger'>) {
  const scope = new AbortController()
  const log: string[] = []
  const running = runAsLeader({ ...options, lease, logger: silent }, scope.signal, async signal => {
    log.push('leads')
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
    log.push('stopped')
  })
  const stop = () => {
    scope.abort()
    return running
  }
  return { log, stop }
}

test('runAsLeader lets one lead, and the next take over when the first gives the lease back', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: false })
  const { client, clock } = cluster
  const a = contender({ client, clock, identity: 'a' })
  await cluster.settle()
  const b = contender({ client, clock, identity: 'b' })
  await cluster.advance(60_000)
  assert.deepEqual([a.log, b.log], [['leads'], []])
  const stopping = a.stop()
  await cluster.settle()
  await stopping
  assert.deepEqual(a.log, ['leads', 'stopped'])
  await cluster.advance(2_000)
  assert.deepEqual(b.log, ['leads'])
  const found = await cluster.objects<Lease>('Lease').get(lease)
  assert.equal(found.spec?.holderIdentity, 'b')
  assert.equal(found.spec?.leaseTransitions, 1)
  const ended = b.stop()
  await cluster.settle()
  await ended
})

test('runAsLeader stops the work when the lease cannot be renewed, and another leads once it has run out', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: false })
  const { clock } = cluster
  let cut = false
  const client = {
    ...cluster.client,
    kind: ((resource: never) => {
      const kind = cluster.client.kind(resource)
      return { ...kind, find: async (ref: never) => (cut ? Promise.reject(new Error('network down')) : kind.find(ref)) }
    }) as typeof cluster.client.kind,
  }
  const a = contender({ client, clock, identity: 'a' })
  await cluster.settle()
  const b = contender({ client: cluster.client, clock, identity: 'b' })
  await cluster.advance(5_000)
  cut = true
  await cluster.advance(13_000)
  assert.deepEqual(a.log, ['leads', 'stopped'])
  await cluster.advance(8_000)
  assert.deepEqual(b.log, ['leads'])
  for (const each of [a, b]) {
    const ended = each.stop()
    await cluster.settle()
    await ended
  }
})
