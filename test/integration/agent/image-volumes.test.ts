/** Volumes that are images, as processes see them, on a node with the real agent and its own images. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { Event } from '../../../src/api/kinds/core/event.ts'
import { eventually } from '../../../src/lib/eventually.fixture.ts'
import { ociArchive } from '../../../src/lib/oci-archive.ts'
import { mounting, type Node, startNode } from './node.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: mounts are made'
const IMAGE = 'example.com/data:1'

const archive = () =>
  ociArchive({
    name: IMAGE,
    layers: [
      [
        { name: 'files/one', bytes: 'first' },
        { name: 'files/away', link: '/etc' },
        { name: 'gone', bytes: '' },
      ],
      [
        { name: '.wh.gone', bytes: '' },
        { name: 'run', bytes: '#!/bin/sh\necho it ran\n', mode: 0o755 },
      ],
    ],
  })

describe('image volumes of a pod', { skip }, () => {
  let node: Node
  before(async () => {
    node = await startNode({ archive: archive() })
    await node.createAccount()
  })
  after(() => node.close())

  const using = (image: object, script: string, mount?: object) => mounting({ image }, script, mount)
  const waiting = (name: string, reason: string) =>
    node.until(name, pod => pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason)
  const eventsOf = async (name: string) =>
    (await node.admin.kind(Event).listAll())
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message, involvedObject }) => `${involvedObject.fieldPath ?? 'pod'} ${reason}: ${message}`)

  it('show the files of all layers, read-only, and let none of them be executed', async () => {
    const script = 'ls /mnt; cat /mnt/files/one; echo; (echo > /mnt/new) 2>/dev/null || echo kept; /mnt/run || echo $?'
    const text = await node.printed('whole', using({ reference: IMAGE, pullPolicy: 'Never' }, script))
    assert.match(text, /^files\nrun\nfirst\nkept\n[^\n]*Permission denied\n126\n$/)
    const told = await eventsOf('whole')
    const message = `Container image "${IMAGE}" already present on machine and can be accessed by the pod`
    assert.ok(told.includes(`pod Pulled: ${message}`), told.join('\n'))
  })

  it('show one folder of an image, of which links do not lead out', async () => {
    assert.equal(await node.printed('part', using({ reference: IMAGE }, 'cat /mnt/one', { subPath: 'files' })), 'first')
    await node.create('out', using({ reference: IMAGE }, 'ls /mnt', { subPath: 'files/away' }))
    const pod = await waiting('out', 'CreateContainerError')
    const [status] = pod.status?.containerStatuses ?? []
    assert.equal(
      status?.state?.waiting?.message,
      'ImageVolumeMountFailed: subPath "files/away": no such file or directory',
    )
    await node.create('file', using({ reference: IMAGE }, 'ls /mnt', { subPath: 'files/one' }))
    await waiting('file', 'CreateContainerError')
  })

  it('keep a container waiting whose image is not to be had, and say why', async () => {
    await node.create('never', using({ reference: 'example.com/none:1', pullPolicy: 'Never' }, 'true'))
    const never = await waiting('never', 'ErrImageNeverPull')
    const message = 'Container image "example.com/none:1" is not present with pull policy of Never'
    assert.equal(never.status?.containerStatuses?.[0]?.state?.waiting?.message, message)
    await node.create('far', using({ reference: 'localhost:1/none:1' }, 'true'))
    const far = await waiting('far', 'ImagePullBackOff')
    assert.match(
      far.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '',
      /^Back-off pulling image "localhost:1\/none:1": ErrImagePull: failed to pull and unpack image "localhost:1\/none:1"/,
    )
    const told = await eventsOf('far')
    assert.ok(told.includes('pod Pulling: Pulling image "localhost:1/none:1"'), told.join('\n'))
    assert.ok(told.includes('pod BackOff: Back-off pulling image "localhost:1/none:1"'))
    assert.ok(told.includes('spec.containers{main} Failed: Error: ErrImagePull'))
  })

  it('are mounted no more when their pod has ended', async () => {
    await node.printed('ended', using({ reference: IMAGE }, 'true'))
    const pod = await node.pods.get({ namespace: 'default', name: 'ended' })
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(pod.metadata?.uid ?? '')
    await eventually(() => assert.equal(mounts(), false))
  })
})
