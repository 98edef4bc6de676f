import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { CSIDriver } from '../../api/kinds/storage/csi-driver.ts'
import { VolumeAttachment } from '../../api/kinds/storage/volume-attachment.ts'
import { createWorld } from '../../control/simulate.ts'
import { attachDetachController } from './controller.ts'

const IN_USE = 'kubernetes.io/csi/d.example.com^h'

function world(accessMode = 'ReadWriteOnce') {
  const made = createWorld()
  const node = (name: string, more: { inUse?: boolean; ready?: string; taint?: string } = {}) =>
    made.put<Node>(Node, {
      metadata: { name },
      spec: more.taint ? { taints: [{ key: more.taint, effect: 'NoExecute' }] } : {},
      status: {
        conditions: [{ type: 'Ready', status: more.ready ?? 'True' }],
        volumesInUse: more.inUse ? [IN_USE] : [],
      },
    } as Node)
  const pod = (name: string, nodeName: string, phase = 'Pending') =>
    made.put<Pod>(Pod, {
      metadata: { name, uid: name },
      spec: { nodeName, containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
      status: { phase },
    } as Pod)
  node('a')
  node('b')
  made.put<PersistentVolume>(PersistentVolume, {
    metadata: { name: 'v' },
    spec: {
      accessModes: [accessMode],
      claimRef: { namespace: 'default', name: 'c' },
      csi: { driver: 'd.example.com', volumeHandle: 'h' },
    },
  } as PersistentVolume)
  const settle = (now = 0) => {
    made.settle(attachDetachController, 'v', now)
    return made
      .list<VolumeAttachment>(VolumeAttachment)
      .map(each => each.spec.nodeName)
      .sort()
  }
  return { ...made, node, pod, settle }
}

test('a volume is attached where a pod uses it, under the name that its node looks for', () => {
  const { pod, settle, list } = world()
  assert.deepEqual(settle(), [])
  pod('p', 'a')
  assert.deepEqual(settle(), ['a'])
  const [made] = list<VolumeAttachment>(VolumeAttachment)
  assert.match(made?.metadata?.name ?? '', /^csi-[0-9a-f]{64}$/)
  assert.deepEqual(made?.spec, { attacher: 'd.example.com', nodeName: 'a', source: { persistentVolumeName: 'v' } })
})

test('a volume of a driver that attaches nothing has no attachments', () => {
  const { put, pod, settle } = world()
  put<CSIDriver>(CSIDriver, { metadata: { name: 'd.example.com' }, spec: { attachRequired: false } })
  pod('p', 'a')
  assert.deepEqual(settle(), [])
})

test('a volume for one node waits until the other has let go of it', () => {
  const { node, pod, settle, notes } = world()
  pod('p', 'a')
  settle()
  node('a', { inUse: true })
  pod('p', 'a', 'Succeeded')
  pod('q', 'b')
  assert.deepEqual(settle(), ['a'])
  assert.equal(
    notes.at(-1)?.message,
    `Multi-Attach error for volume "v" Volume is already exclusively attached to one node and can't be attached to another`,
  )
  node('a')
  settle()
  assert.deepEqual(settle(), ['b'])
})

test('a volume for many nodes is attached to each', () => {
  const { pod, settle } = world('ReadWriteMany')
  pod('p', 'a')
  pod('q', 'b')
  assert.deepEqual(settle(), ['a', 'b'])
})

for (const [what, more, now, expected] of [
  ['that is well', {}, 400_000, ['a']],
  ['that has been silent for a minute', { ready: 'Unknown' }, 60_000, ['a']],
  ['that has been silent for long', { ready: 'Unknown' }, 400_000, []],
  ['that is out of service', { taint: 'node.kubernetes.io/out-of-service' }, 0, []],
] as const) {
  test(`a volume in use by a node ${what} stays attached to ${JSON.stringify(expected)}`, () => {
    const { node, pod, settle, remove } = world()
    pod('p', 'a')
    settle()
    node('a', { inUse: true, ...more })
    remove(Pod, 'default/p')
    settle(0)
    assert.deepEqual(settle(now), expected)
  })
}

test('how attaching went is told to the pods that wait, once', () => {
  const { pod, settle, put, list, notes } = world()
  pod('p', 'a')
  settle()
  const [attachment] = list<VolumeAttachment>(VolumeAttachment)
  put<VolumeAttachment>(VolumeAttachment, { ...attachment!, status: { attached: true } })
  settle()
  settle()
  assert.deepEqual(
    notes.map(each => each.message),
    ['AttachVolume.Attach succeeded for volume "v" '],
  )
})
