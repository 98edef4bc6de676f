/** Volumes as processes see them, on a node with the real agent. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { configMaps } from '../../../src/agent/resources.ts'
import type { Pod } from '../../../src/api/generated/types/core-v1.ts'
import { boundClaim } from './bound-claim.ts'
import { isReady, mounting, type Node, startNode } from './node.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: mounts are made'

describe('volumes of a pod', { skip }, () => {
  let node: Node
  const directory = mkdtempSync(join(tmpdir(), 'tutti-pod-volumes-'))
  before(async () => {
    node = await startNode()
    await node.createAccount()
  })
  after(async () => {
    await node.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** A bound claim of a volume that one node can reach. */
  function bound(name: string, source: object, affinity = 'n1') {
    const requirement = { key: 'kubernetes.io/hostname', operator: 'In', values: [affinity] }
    const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [requirement] }] } }
    return boundClaim(node.admin, name, { nodeAffinity, ...source })
  }
  const waits = (name: string, message: string) =>
    node.until(name, pod => pod?.status?.containerStatuses?.[0]?.state?.waiting?.message === message)

  it('are those of its claims, and keep what was written by pods before', async () => {
    const path = join(directory, 'data')
    mkdirSync(path)
    const volume = await bound('data', { local: { path } })
    await node.printed('writes', mounting(volume, 'echo kept >/mnt/file', {}, { securityContext: { fsGroup: 4711 } }))
    const shown = await node.printed('reads', mounting(volume, 'cat /mnt/file; stat -c %g,%a /mnt; id -G'))
    assert.equal(shown, 'kept\n4711,2775\n0\n')
    const read = { persistentVolumeClaim: { claimName: 'data', readOnly: true } }
    assert.match(await node.printed('cannot', mounting(read, 'echo x 2>&1 >/mnt/file')), /Read-only file system/)
  })

  it('wait for what is missing, and say what that is', async () => {
    const missing = await bound('missing', { local: { path: join(directory, 'none') } })
    await node.create('missing', mounting(missing, 'true'))
    await waits(
      'missing',
      `MountVolume.NewMounter initialization failed for volume "pv-missing" : path "${join(directory, 'none')}" does not exist`,
    )
    const away = await bound('away', { local: { path: directory } }, 'n2')
    await node.create('away', mounting(away, 'true'))
    await waits('away', 'MountVolume.NodeAffinity check failed for volume "pv-away" : no matching NodeSelectorTerms')
    await node.create('none', mounting({ persistentVolumeClaim: { claimName: 'none' } }, 'true'))
    await waits(
      'none',
      'error processing PVC default/none: failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
    )
    mkdirSync(join(directory, 'none'))
    await node.until('missing', pod => pod?.status?.phase === 'Succeeded')
  })

  it('that vanish leave a running pod alone, and its next start says what is missing', async () => {
    const path = join(directory, 'vanishing')
    const stop = join(directory, 'stop')
    mkdirSync(path)
    const script = `until [ -e ${stop} ]; do sleep 0.05; done; exit 1`
    await node.create('vanishing', mounting({ hostPath: { path } }, script, {}, { restartPolicy: 'Always' }))
    await node.until('vanishing', isReady)
    rmSync(path, { recursive: true })
    writeFileSync(stop, '')
    const message = `cannot mount ${path} at /mnt: it does not exist`
    const pod: Pod = await node.until(
      'vanishing',
      found => found?.status?.containerStatuses?.[0]?.lastState?.terminated?.message === message,
    )
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1)
    assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'CrashLoopBackOff')
  })

  it('are devices where they are said to be', async () => {
    const block = { volumeMode: 'Block' }
    const volume = await bound('block', { ...block, local: { path: directory } })
    const spec = mounting(volume, 'true')
    const [{ volumeMounts: _, ...container }] = spec.containers as [(typeof spec.containers)[0]]
    const devices = [{ name: 'v', devicePath: '/dev/xvda' }]
    await node.create('block', { ...spec, containers: [{ ...container, volumeDevices: devices }] })
    await waits(
      'block',
      `MapVolume.SetUpDevice failed for volume "pv-block" : local volume ${directory} is not a block device`,
    )
    await node.create('mounted', spec)
    await waits('mounted', 'volume v has volumeMode Block, but is specified in volumeMounts')
  })

  it('that follow objects are read-only, and a sub path of them is what it was', async () => {
    const ref = { namespace: 'default', name: 'c' }
    await node.admin
      .kind(configMaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: ref, data: { key: 'one', other: 'x' } })
    const script = 'echo x 2>&1 >/mnt/key; cat /sub; until grep -q two /mnt/key; do sleep 0.05; done; cat /mnt/key /sub'
    const spec = mounting({ configMap: { name: 'c' } }, script)
    spec.containers[0]!.volumeMounts.push({ name: 'v', mountPath: '/sub', subPath: 'key' } as never)
    await node.create('follows', spec)
    await node.until('follows', isReady)
    await node.admin.kind(configMaps).patch(ref, { data: { key: 'two' } }, { type: 'merge' })
    const pod = await node.until('follows', found => found?.status?.phase === 'Succeeded')
    assert.match(await node.log(pod, 'main'), /Read-only file system\nonetwoone$/)
  })

  it('that grow beyond their limit end the pod', async () => {
    const volume = { emptyDir: { sizeLimit: '1Mi' } }
    await node.create('greedy', mounting(volume, 'head -c 3000000 /dev/zero >/mnt/file; exec sleep 1000'))
    const pod = await node.until('greedy', found => found?.status?.phase === 'Failed')
    assert.equal(pod.status?.reason, 'Evicted')
    assert.equal(pod.status?.message, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ')
  })
})
