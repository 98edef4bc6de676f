import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { deployment, inDefault, withImage } from '../integration/objects.ts'

/** Every version of every object of a short, troubled history. */
async function history(seed: number): Promise<string[]> {
  await using cluster = await startCluster({
    clock: 'virtual',
    nodes: 3,
    seed,
    script: () => ({ startMs: 20, readyMs: 30, stopMs: 40 }),
  })
  const log: string[] = []
  for (const kind of cluster.server.registry.kinds().filter(each => !each.virtual && !each.storage)) {
    cluster.server.registry.reader(kind).onChange((previous, current) => {
      const digest = createHash('sha1')
        .update((current ?? previous)!.bytes)
        .digest('hex')
        .slice(0, 8)
      log.push(`${cluster.clock.now()} ${kind.plural} ${(current ?? previous)!.value.metadata?.name} ${digest}`)
    })
  }
  await cluster.create(deployment('a'))
  await cluster.advance(200)
  cluster.faults.failWrites(0.2)
  await cluster.objects<Deployment>('Deployment').patch(inDefault('a'), withImage('v2'), { type: 'strategic' })
  await cluster.advance(100)
  cluster.faults.dropWatches()
  cluster.faults.crash('replicaset-controller')
  await cluster.advance(2000)
  return log
}

test('startCluster replays the same history from the same seed, byte for byte, and another from another', async () => {
  const first = await history(7)
  assert.ok(first.length > 50)
  assert.deepEqual(await history(7), first)
  assert.notDeepEqual(await history(8), first)
})
