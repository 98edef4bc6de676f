/** The provisioner of local volumes, the binder and the scheduler together, on nodes whose folders are real. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createEndpoints } from '../../src/agent/endpoints.ts'
import { createLocalVolumes } from '../../src/agent/local-volumes.ts'
import { createNodeImages } from '../../src/agent/node/images.ts'
import { thisMachine } from '../../src/agent/node/machine.ts'
import type { Event, PersistentVolume, PersistentVolumeClaim, Pod } from '../../src/api/generated/types/core-v1.ts'
import type { NodeApi } from '../../src/client/node-api.ts'
import { type Cluster, startCluster } from '../../src/cmd/testing.ts'
import { realClock } from '../../src/lib/clock.ts'

const root = mkdtempSync(join(tmpdir(), 'tutti-local-path-'))
after(() => rmSync(root, { recursive: true, force: true }))

const claim = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const pod = (name: string, claimName: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    containers: [{ name: 'main', image: 'x' }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    ...spec,
  },
})

let serial = 0
/** A cluster of two nodes with folders, and what tests ask of it. */
async function start() {
  const nodes = ['a', 'b']
  const place = join(root, String(++serial))
  const down = new Set<string>()
  const apis = new Map(
    nodes.map(nodeName => {
      const localVolumes = createLocalVolumes(join(place, nodeName))
      const serve = createEndpoints({
        nodeName,
        workers: () => [],
        logs: undefined as never,
        clock: realClock,
        machine: thisMachine(place),
        podNetwork: {},
        configuration: () => ({}),
        families: [],
        images: createNodeImages([], join(place, nodeName)),
        localVolumes,
      })
      return [nodeName, { serve } as NodeApi]
    }),
  )
  const cluster = await startCluster({
    nodes: nodes.map(name => ({ name })),
    nodeApi: name => (down.has(name) ? undefined : apis.get(name)),
    localVolumes: true,
  })
  const find = async <T extends object>(kind: string, name: string) =>
    (await cluster.objects(kind).find({ ...(kind !== 'PersistentVolume' && { namespace: 'default' }), name })) as
      | T
      | undefined
  return {
    cluster,
    down,
    claim: (name: string) => find<PersistentVolumeClaim>('PersistentVolumeClaim', name),
    volume: (name: string) => find<PersistentVolume>('PersistentVolume', name),
    pod: (name: string) => find<Pod>('Pod', name),
    events: async (reason: string) => {
      const all = await cluster.objects<Event>('Event').listAll()
      return all.filter(each => each.reason === reason).map(each => each.message)
    },
    [Symbol.asyncDispose]: () => cluster.stop(),
  }
}

async function eventually<T>(cluster: Cluster, read: () => Promise<T>, isRight: (value: T) => unknown): Promise<T> {
  let last: T | undefined
  await cluster.until(async () => assert.ok(isRight((last = await read())), JSON.stringify(last)))
  return last as T
}

describe('local volumes', () => {
  it('are made where the first pod goes, kept while they are used, and removed with their claim', async () => {
    await using at = await start()
    const { cluster } = at
    await cluster.create(claim('data'))
    const waiting = await eventually(
      cluster,
      () => at.claim('data'),
      found => found?.status?.phase === 'Pending',
    )
    assert.equal(waiting?.spec?.storageClassName, 'local-path')
    await cluster.create(pod('first', 'data', { nodeSelector: { 'kubernetes.io/hostname': 'b' } }))
    const bound = await eventually(
      cluster,
      () => at.claim('data'),
      found => found?.status?.phase === 'Bound',
    )
    assert.deepEqual(bound?.status?.capacity, { storage: '1Gi' })
    await eventually(
      cluster,
      () => at.pod('first'),
      found => found?.spec?.nodeName === 'b',
    )
    const volume = await at.volume(bound?.spec?.volumeName ?? '')
    const path = volume?.spec?.local?.path ?? ''
    assert.match(path, /\/b\/pvc-[0-9a-f-]{36}_default_data$/)
    assert.equal(statSync(path).mode & 0o777, 0o777)
    writeFileSync(join(path, 'kept'), '')

    // A second pod follows the volume.
    await cluster.create(pod('second', 'data'))
    await eventually(
      cluster,
      () => at.pod('second'),
      found => found?.spec?.nodeName === 'b',
    )
    await cluster.objects('PersistentVolumeClaim').delete({ namespace: 'default', name: 'data' })
    await cluster.objects('Pod').delete({ namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 })
    await cluster.settle()
    assert.ok(existsSync(join(path, 'kept')), 'in use')
    await cluster.objects('Pod').delete({ namespace: 'default', name: 'second' }, { gracePeriodSeconds: 0 })
    await eventually(
      cluster,
      () => at.volume(volume?.metadata?.name ?? ''),
      found => found === undefined,
    )
    assert.ok(!existsSync(path))
  })

  it('stay when their class or their owner says so', async () => {
    await using at = await start()
    const { cluster } = at
    await cluster.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'keep' },
      provisioner: 'tutti.dev/local-path',
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    await cluster.create(claim('data', { storageClassName: 'keep' }))
    await cluster.create(pod('p', 'data'))
    const bound = await eventually(
      cluster,
      () => at.claim('data'),
      found => found?.status?.phase === 'Bound',
    )
    const name = bound?.spec?.volumeName ?? ''
    const path = (await at.volume(name))?.spec?.local?.path ?? ''
    await cluster.objects('Pod').delete({ namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
    await cluster.objects('PersistentVolumeClaim').delete({ namespace: 'default', name: 'data' })
    await eventually(
      cluster,
      () => at.volume(name),
      found => found?.status?.phase === 'Released',
    )
    await cluster.objects('PersistentVolume').delete({ name })
    await eventually(
      cluster,
      () => at.volume(name),
      found => found === undefined,
    )
    assert.ok(existsSync(path))
  })

  it('grow when their claim asks for more', async () => {
    await using at = await start()
    const { cluster } = at
    await cluster.create(claim('data'))
    await cluster.create(pod('p', 'data'))
    await eventually(
      cluster,
      () => at.claim('data'),
      found => found?.status?.phase === 'Bound',
    )
    const patch = { spec: { resources: { requests: { storage: '3Gi' } } } }
    await cluster
      .objects('PersistentVolumeClaim')
      .patch({ namespace: 'default', name: 'data' }, patch, { type: 'merge' })
    const grown = await eventually(
      cluster,
      () => at.claim('data'),
      found => found?.status?.capacity?.storage === '3Gi',
    )
    assert.equal((await at.volume(grown?.spec?.volumeName ?? ''))?.spec?.capacity?.storage, '3Gi')
  })

  it('wait for a node that cannot be reached, and say so', async () => {
    await using at = await start()
    const { cluster } = at
    at.down.add('a').add('b')
    await cluster.create(claim('data'))
    await cluster.create(pod('p', 'data'))
    const [told] = await eventually(
      cluster,
      () => at.events('ProvisioningFailed'),
      found => found.length > 0,
    )
    assert.match(
      told ?? '',
      /^failed to provision volume with StorageClass "local-path": .*node "[ab]" cannot be reached/,
    )
    assert.equal((await at.pod('p'))?.spec?.nodeName, undefined)
    at.down.clear()
    await eventually(
      cluster,
      () => at.pod('p'),
      found => found?.spec?.nodeName,
    )
  })

  for (const [what, spec, reason] of [
    ['devices', { volumeMode: 'Block' }, /a folder cannot be a block device/],
    ['selectors', { selector: { matchLabels: { a: 'b' } } }, /claim\.Spec\.Selector is not supported/],
  ] as const) {
    it(`are no ${what}, which is told`, async () => {
      await using at = await start()
      const { cluster } = at
      await cluster.create(claim('data', spec))
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
      await cluster.create(pod('p', 'data', { volumes }))
      const [told] = await eventually(
        cluster,
        () => at.events('ProvisioningFailed'),
        found => found.length > 0,
      )
      assert.match(told ?? '', reason)
    })
  }

  it('bind static volumes before new ones are made, each to one claim', async () => {
    await using at = await start()
    const { cluster } = at
    const path = join(root, 'static')
    mkdirSync(path)
    await cluster.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'static' },
      provisioner: 'kubernetes.io/no-provisioner',
      volumeBindingMode: 'WaitForFirstConsumer',
    })
    const affinity = (node: string) => ({
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }],
      },
    })
    for (const node of ['a', 'b'])
      await cluster.create({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `at-${node}` },
        spec: {
          capacity: { storage: '2Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'static',
          local: { path },
          nodeAffinity: affinity(node),
        },
      })
    const names = ['x', 'y', 'z']
    for (const name of names) await cluster.create(claim(name, { storageClassName: 'static' }))
    for (const name of names) await cluster.create(pod(name, name))
    await eventually(
      cluster,
      async () => (await Promise.all(names.map(at.pod))).filter(each => each?.spec?.nodeName).length,
      count => count === 2,
    )
    const claims = await Promise.all(names.map(at.claim))
    const used = claims.map(each => each?.spec?.volumeName).filter(Boolean)
    assert.deepEqual(used.sort(), ['at-a', 'at-b'])
    // Which of them are left without is told once the others are seen.
    await eventually(
      cluster,
      async () => (await Promise.all(names.map(at.pod))).find(each => !each?.spec?.nodeName),
      left =>
        left?.status?.conditions?.some(
          ({ type, message }) =>
            type === 'PodScheduled' && message?.includes("2 node(s) didn't find available persistent volumes to bind"),
        ),
    )
  })
})
