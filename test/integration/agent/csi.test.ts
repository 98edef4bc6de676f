/** Volumes of a CSI driver on a node with the real agent and real processes. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { CsiDriver } from '../../../src/agent/csi/driver.ts'
import { CAPABILITY } from '../../../src/agent/csi/messages.ts'
import { attachmentName } from '../../../src/agent/csi/source.ts'
import { createCsiVolumes } from '../../../src/agent/csi/volumes.ts'
import {
  csiDrivers,
  csiNodes,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  volumeAttachments,
} from '../../../src/agent/resources.ts'
import type { Pod } from '../../../src/api/generated/types/core-v1.ts'
import { Event } from '../../../src/api/kinds/core/event.ts'
import { eventually, PATIENCE } from '../../../src/lib/eventually.fixture.ts'
import { silent } from '../../../src/lib/log.ts'
import { removeTree } from '../../../src/lib/mounts.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'
import { boundClaim } from './bound-claim.ts'
import { startDriver } from './csi-driver.ts'
import { isReady, mounting, type Node, startNode } from './node.ts'

const NAME = 'folders.example.com'
const skip = process.getuid?.() === 0 ? false : 'needs root: a driver mounts'

describe('CSI volumes', { skip }, () => {
  let node: Node
  let driver: Awaited<ReturnType<typeof startDriver>>
  const directory = mkdtempSync(join(tmpdir(), 'tutti-csi-'))
  const begin = () =>
    startDriver({
      name: NAME,
      dataDir: node.directory,
      directory,
      capabilities: [CAPABILITY.stage, CAPABILITY.expand],
      segments: { 'topology.example.com/zone': 'z1' },
    })
  before(async () => {
    node = await startNode()
    await node.createAccount()
    driver = await begin()
  })
  after(async () => {
    await node.close()
    await driver.stop()
    await removeTree(directory)
  })

  /** A bound claim of a volume of the driver. */
  const bound = (name: string) =>
    boundClaim(node.admin, name, { csi: { driver: NAME, volumeHandle: `handle-${name}`, fsType: 'ext4' } })
  const using = (volume: object, script = 'exec sleep 1000', more: object = {}) =>
    mounting(volume, script, {}, { restartPolicy: 'Always', ...more })
  const claimed = (claimName: string) => ({ persistentVolumeClaim: { claimName } })
  const gone = async (name: string) => {
    // Not by force: then the object goes before what it stands for.
    await node.pods.delete({ namespace: 'default', name }, { gracePeriodSeconds: 1 })
    await node.until(name, found => found === undefined)
  }
  const told = async (pod: string, message: RegExp) => {
    const now = async () => {
      const all = await node.admin.kind(Event).listAll({ namespace: 'default' })
      return all.find(each => each.involvedObject.name === pod && message.test(each.message ?? ''))
    }
    await eventually(async () => assert.ok(await now(), `no event of ${pod} says ${message}`))
    return now()
  }
  const inUse = async () => (await node.admin.kind(nodes).get({ name: 'n1' })).status?.volumesInUse ?? []

  it('need a driver that registers, whose node and topology are told', async () => {
    await eventually(() => driver.registered.length === 1)
    assert.deepEqual(driver.registered, [{ pluginRegistered: true, error: '' }])
    const { spec } = await node.admin.kind(csiNodes).get({ name: 'n1' })
    assert.deepEqual(spec.drivers, [
      {
        name: NAME,
        nodeID: `${NAME}-node`,
        topologyKeys: ['topology.example.com/zone'],
        allocatable: { count: 5 },
      },
    ])
    const { metadata } = await node.admin.kind(nodes).get({ name: 'n1' })
    assert.equal(metadata?.labels?.['topology.example.com/zone'], 'z1')
    assert.equal(metadata?.annotations?.['csi.volume.kubernetes.io/nodeid'], `{"${NAME}":"${NAME}-node"}`)
  })

  it('are attached, staged, published, and all of it undone with the last pod', async () => {
    await bound('data')
    await node.create(
      'first',
      using(claimed('data'), 'echo hello >/mnt/file; exec sleep 1000', {
        securityContext: { fsGroup: 4711 },
      }),
    )
    const waits = 'AttachVolume.Attach failed for volume "pv-data" : the volume is not attached to this node yet'
    await node.until('first', pod => pod?.status?.containerStatuses?.[0]?.state?.waiting?.message === waits)
    assert.deepEqual(driver.asked('NodeStageVolume'), [])
    const attachment = attachmentName({ handle: 'handle-data', driver: NAME }, 'n1')
    await node.admin.kind(volumeAttachments).create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: attachment },
      spec: { attacher: NAME, nodeName: 'n1', source: { persistentVolumeName: 'pv-data' } },
    })
    await node.admin
      .kind(volumeAttachments)
      .patch(
        { name: attachment },
        { status: { attached: true, attachmentMetadata: { device: 'sdx' } } },
        { type: 'merge', subresource: 'status' },
      )
    await node.until('first', isReady)
    const [staged] = driver.asked('NodeStageVolume')
    assert.equal(staged.volumeId, 'handle-data')
    assert.deepEqual(staged.publishContext, { device: 'sdx' })
    assert.match(
      staged.stagingTargetPath,
      /plugins\/kubernetes\.io\/csi\/folders\.example\.com\/[0-9a-f]{64}\/globalmount$/,
    )
    assert.equal(staged.volumeCapability.mount.fsType, 'ext4')
    const [published] = driver.asked('NodePublishVolume')
    assert.match(published.targetPath, /\/volumes\/kubernetes\.io~csi\/pv-data\/mount$/)
    await eventually(() => existsSync(join(driver.backing('handle-data'), 'file')))
    assert.equal(statSync(driver.backing('handle-data')).gid, 4711)
    assert.deepEqual(await inUse(), [`kubernetes.io/csi/${NAME}^handle-data`])

    await node.create('second', using(claimed('data'), 'cat /mnt/file; exec sleep 1000'))
    const second = await node.until('second', isReady)
    await eventually(async () => (await node.log(second, 'main')) === 'hello\n')
    await gone('first')
    assert.equal(driver.asked('NodeUnpublishVolume').length, 1)
    assert.deepEqual(driver.asked('NodeUnstageVolume'), [])
    await gone('second')
    assert.equal(driver.asked('NodeUnstageVolume').length, 1)
    assert.deepEqual(await inUse(), [])
    assert.equal(readFileSync(join(driver.backing('handle-data'), 'file'), 'utf8'), 'hello\n')
  })

  it('of the pod alone are made when they are published, with what the driver wants to know', async () => {
    await node.admin.kind(csiDrivers).create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: NAME },
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        tokenRequests: [{ audience: 'vault' }],
      },
    })
    await node.admin.kind(secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      stringData: { password: 'x' },
    } as never)
    const csi = { driver: NAME, volumeAttributes: { a: 'b' }, nodePublishSecretRef: { name: 's' } }
    await node.create('inline', using({ csi }))
    const pod = await node.until('inline', isReady)
    const published = driver.asked('NodePublishVolume').at(-1)
    assert.match(published.volumeId, /^csi-[0-9a-f]{64}$/)
    assert.equal(published.stagingTargetPath, '')
    assert.deepEqual(published.secrets, { password: 'x' })
    const { 'csi.storage.k8s.io/serviceAccount.tokens': tokens, ...context } = published.volumeContext
    assert.deepEqual(context, {
      a: 'b',
      'csi.storage.k8s.io/pod.name': 'inline',
      'csi.storage.k8s.io/pod.namespace': 'default',
      'csi.storage.k8s.io/pod.uid': pod.metadata?.uid,
      'csi.storage.k8s.io/serviceAccount.name': 'default',
      'csi.storage.k8s.io/ephemeral': 'true',
    })
    assert.match(JSON.parse(tokens).vault.token, /^ey/)
    await gone('inline')
  })

  it('are published again while they are used, where their driver wants it', async () => {
    await node.admin.kind(csiDrivers).patch({ name: NAME }, { spec: { requiresRepublish: true } }, { type: 'merge' })
    const clock = virtualClock()
    const scope = new AbortController()
    const asked: string[] = []
    const publisher: CsiDriver = {
      name: NAME,
      info: { nodeId: 'n', maxVolumesPerNode: 0, accessibleTopology: undefined },
      can: () => false,
      stage: async () => {},
      unstage: async () => {},
      publish: async ({ volumeContext }) => void asked.push(volumeContext?.['csi.storage.k8s.io/pod.name'] ?? ''),
      unpublish: async () => {},
      expand: async () => 0,
      close: () => {},
    }
    const volumes = createCsiVolumes({
      client: node.admin,
      drivers: { get: () => publisher },
      logger: silent,
      clock,
      signal: scope.signal,
      nodeName: 'n1',
      dataDir: join(directory, 'again'),
      podsDirectory: join(directory, 'again/pods'),
    })
    const created = await node.create('again', using({ emptyDir: {} }))
    const place = join(directory, 'again/pods/u/volumes/kubernetes.io~csi/v')
    await volumes.publish({ name: 'v', source: { csi: { driver: NAME } }, readOnly: false }, created, place)
    assert.deepEqual(asked, ['again'])
    clock.advance(60_000)
    await eventually(() => asked.length === 2)
    await volumes.unpublish(place)
    clock.advance(600_000)
    assert.equal(asked.length, 2)
    scope.abort()
    await gone('again')
  })

  it('say what their driver said, and go on when it can', async () => {
    await bound('broken')
    driver.fail('NodeStageVolume', 'the disk is on fire')
    await node.create('broken', using(claimed('broken')))
    await told(
      'broken',
      /^MountVolume\.MountDevice failed for volume "pv-broken" : rpc error: code = Internal desc = the disk is on fire$/,
    )
    driver.fail('NodeStageVolume', '')
    await node.until('broken', isReady)
    await gone('broken')
  })

  it('take the size that their volume has by now, when they are published and while they are used', async () => {
    await bound('grows')
    const claim = { namespace: 'default', name: 'grows' }
    const grow = async (storage: string) => {
      await node.admin
        .kind(persistentVolumes)
        .patch({ name: 'pv-grows' }, { spec: { capacity: { storage } } }, { type: 'merge' })
    }
    const has = async () => (await node.admin.kind(persistentVolumeClaims).get(claim)).status?.capacity?.storage
    const status = { status: { capacity: { storage: '1Gi' } } }
    await node.admin.kind(persistentVolumeClaims).patch(claim, status, { type: 'merge', subresource: 'status' })
    await grow('2Gi')
    await node.create('grows', using(claimed('grows')))
    await node.until('grows', isReady)
    assert.equal(await has(), '2Gi')
    await grow('3Gi')
    const request = { method: 'PUT', path: '/claims/default/grows', query: new URLSearchParams() }
    const answer = await node.api().serve!({ ...request, signal: AbortSignal.timeout(PATIENCE) })
    assert.equal(answer.status, 200)
    assert.equal(await has(), '3Gi')
    assert.deepEqual(
      driver.asked('NodeExpandVolume').map(each => each.capacityRange.requiredBytes),
      [2 * 2 ** 30, 3 * 2 ** 30],
    )
    await gone('grows')
  })

  it('outlive the agent and the driver, and are undone by those that come after', async () => {
    await bound('lasting')
    await node.create('lasting', using(claimed('lasting')))
    const { metadata } = (await node.until('lasting', isReady)) as Pod
    const folder = join(node.directory, 'pods', metadata?.uid ?? '', 'volumes/kubernetes.io~csi')
    await driver.stop()
    await eventually(async () => !(await node.admin.kind(csiNodes).get({ name: 'n1' })).spec.drivers?.length)
    await node.restart()
    await node.pods.delete({ namespace: 'default', name: 'lasting' }, { gracePeriodSeconds: 1 })
    // Without its driver nothing is undone, and the pod is not let go.
    await told('lasting', /Stopping container main/)
    assert.deepEqual(readdirSync(folder), ['pv-lasting'])
    driver = await begin()
    await node.until('lasting', found => found === undefined)
    assert.equal(driver.asked('NodeUnstageVolume').length, 1)
    assert.ok(!existsSync(folder))
  })
})
