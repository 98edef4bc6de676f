/**
 * Deployments while everything around them breaks. Each seed is one history, the same every time; a failure names it.
 * SIMULATION_SEED=N runs that one alone, SIMULATION_RUNS=N more of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../src/api/kinds/apps/replica-set.ts'
import { type Pod, Pod as PodKind } from '../../src/api/kinds/core/pod.ts'
import { isReady } from '../../src/api/kinds/core/ready.ts'
import type { Kind } from '../../src/api/machinery/kind.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { unrest } from '../../src/control/at-rest.ts'
import { controllers } from '../../src/controllers/all.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { deployment, imageOf, inDefault, podsOf, withImage } from '../integration/objects.ts'

const NAMES = ['a', 'b', 'c']
const ROUNDS = 25

const only = process.env.SIMULATION_SEED
const seeds = only ? [Number(only)] : Array.from({ length: Number(process.env.SIMULATION_RUNS ?? 4) }, (_, i) => i + 1)

const isLive = (pod: Pod) => !pod.metadata?.deletionTimestamp && pod.status?.phase !== 'Failed'
const uidsOf = (items: readonly { metadata?: { uid?: string } }[]) => new Set(items.map(each => each.metadata?.uid))

/**
 * Looks at every single change: pods of one Deployment must never be more than `most` says. Returns what was wrong;
 * the registry calls this in the middle of a write, where throwing would hit the writer.
 */
function watchLimits(cluster: Cluster, most: ReadonlyMap<string, number>): string[] {
  const wrong: string[] = []
  const live = new Map(NAMES.map(name => [name, new Set<string>()]))
  cluster.server.registry.reader(PodKind as unknown as Kind).onChange((previous, current) => {
    const pod = (current ?? previous)!.value as Pod
    const of = live.get(pod.metadata?.labels?.app ?? '')
    if (!of) return
    if (current && isLive(pod)) of.add(pod.metadata?.uid ?? '')
    else of.delete(pod.metadata?.uid ?? '')
    const name = pod.metadata?.labels?.app ?? ''
    if (of.size > most.get(name)!) wrong.push(`${name} has ${of.size} pods where ${most.get(name)} are allowed`)
  })
  return wrong
}

/** Every pod has an owner that exists. */
async function checkOwners(cluster: Cluster) {
  const [pods, sets] = await Promise.all([
    podsOf(cluster),
    cluster.objects<ReplicaSet>('ReplicaSet').list({ namespace: 'default' }),
  ])
  const known = uidsOf(sets.items)
  for (const pod of pods) {
    const owner = pod.metadata?.ownerReferences?.[0]?.uid
    assert.ok(owner && known.has(owner), `pod ${pod.metadata?.name} has no owner`)
  }
}

/** What must hold once everything works again. */
async function checkAtRest(cluster: Cluster, wanted: ReadonlyMap<string, { replicas: number; image: string }>) {
  for (const [name, { replicas, image }] of wanted) {
    const { status, metadata } = await cluster.objects<Deployment>('Deployment').get(inDefault(name))
    const pods = (await podsOf(cluster, name)).filter(isLive)
    assert.equal(pods.filter(isReady).length, replicas, `${name} has its ready pods`)
    assert.equal(pods.length, replicas, `${name} has no other pods`)
    assert.ok(pods.every(pod => imageOf(pod) === image))
    assert.equal(status?.observedGeneration, metadata?.generation)
    assert.equal(status?.availableReplicas, replicas)
  }
  assert.deepEqual(await unrest(controllers, cluster), [])
}

for (const seed of seeds) {
  test(`Deployments come to rest when parts crash, watches drop and writes fail (seed ${seed})`, async () => {
    const random = seededRandom(seed * 7919)
    const pick = <T>(items: readonly T[]) => items[Math.floor(random.number() * items.length)]!
    await using cluster = await startCluster({
      clock: 'virtual',
      nodes: 3,
      seed,
      script: () => ({
        startMs: random.number() * 500,
        readyMs: random.number() * 500,
        stopMs: random.number() * 1000,
      }),
    })
    const wanted = new Map(NAMES.map(name => [name, { replicas: 4, image: 'v1' }]))
    // The default surge is a quarter, rounded up; scaling down and rolling may overlap, so the larger of two sizes counts.
    const most = new Map(NAMES.map(name => [name, 4 + 1]))
    const wrong = watchLimits(cluster, most)
    const deployments = cluster.objects<Deployment>('Deployment')
    for (const name of NAMES) await cluster.create(deployment(name, { replicas: 4 }))

    for (let round = 0; round < ROUNDS; round++) {
      const name = pick(NAMES)
      const state = wanted.get(name)!
      switch (pick(['crash', 'drop', 'fail', 'image', 'scale', 'kill'])) {
        case 'crash':
          cluster.faults.crash(pick(cluster.faults.components()))
          break
        case 'drop':
          cluster.faults.dropWatches()
          break
        case 'fail':
          cluster.faults.failWrites(random.number() < 0.5 ? 0.3 : 0)
          break
        case 'image':
          state.image = pick(['v1', 'v2', 'v3'])
          await deployments.patch(inDefault(name), withImage(state.image), { type: 'strategic' })
          break
        case 'scale': {
          const replicas = 1 + Math.floor(random.number() * 8)
          // The old size holds until the controllers have seen the new one: it counts for the rest of the run.
          most.set(name, Math.max(most.get(name)!, replicas + Math.ceil(replicas / 4)))
          state.replicas = replicas
          await deployments.patch(inDefault(name), { spec: { replicas } }, { type: 'merge' })
          break
        }
        case 'kill': {
          const pods = (await podsOf(cluster, name)).filter(isLive)
          if (pods.length > 0) await cluster.objects<Pod>('Pod').delete(inDefault(pick(pods).metadata?.name ?? ''))
        }
      }
      await cluster.advance(random.number() * 1500)
      await checkOwners(cluster)
      assert.deepEqual(wrong, [])
    }
    cluster.faults.failWrites(0)
    await cluster.until(() => checkAtRest(cluster, wanted), 600_000)
    assert.deepEqual(wrong, [])
  })
}

test('Deployment that rolls without failures never has fewer ready pods than it may', async () => {
  for (const seed of seeds) {
    const random = seededRandom(seed)
    await using cluster = await startCluster({
      clock: 'virtual',
      nodes: 2,
      seed,
      script: () => ({
        startMs: random.number() * 900,
        readyMs: random.number() * 900,
        stopMs: random.number() * 2000,
      }),
    })
    const replicas = 3 + Math.floor(random.number() * 8)
    await cluster.create(deployment('a', { replicas }))
    await cluster.until(async () => (await podsOf(cluster, 'a')).filter(isReady).length === replicas)
    await cluster.settle()
    const deployments = cluster.objects<Deployment>('Deployment')
    await deployments.patch(inDefault('a'), withImage('v2'), { type: 'strategic' })
    let fewest = replicas
    await cluster.until(async () => {
      fewest = Math.min(fewest, (await podsOf(cluster, 'a')).filter(pod => isLive(pod) && isReady(pod)).length)
      const { status } = await deployments.get(inDefault('a'))
      return (
        status?.updatedReplicas === replicas && status.availableReplicas === replicas && status.replicas === replicas
      )
    }, 120_000)
    const least = replicas - Math.floor(replicas / 4)
    assert.ok(fewest >= least, `seed ${seed}: only ${fewest} of ${replicas} were ready, at least ${least} must be`)
  }
})
