import assert from 'node:assert/strict'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Pod } from '../../../src/api/generated/types/core-v1.ts'
import { eventually } from '../../../src/lib/eventually.fixture.ts'
import { isReady, type Node, startNode } from './node.ts'

const manifest = (name: string, script: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main, image: host, command: [/bin/sh, -c, "${script}"]}
`

describe('static pods', () => {
  let node: Node
  before(async () => {
    node = await startNode()
  })
  after(() => node.close())

  const file = (name: string) => join(node.directory, 'manifests', name)
  /** As editors write: the file is there as a whole or not at all. */
  const place = (name: string, text: string) => {
    writeFileSync(file(`.${name}`), text)
    renameSync(file(`.${name}`), file(name))
  }
  /** What is left of a pod goes a moment after its object. */
  const sandboxes = (count: number) =>
    eventually(async () => assert.equal((await node.driver().listSandboxes()).length, count))
  const idOf = (pod: Pod) => pod.status?.containerStatuses?.[0]?.containerID

  it('runs what is in the folder, shows it as a mirror, and lets it go with its file', async () => {
    place('web.yaml', manifest('web', 'echo hello; exec sleep 1000'))
    const pod = await node.until('web-n1', isReady)
    const { annotations, ownerReferences, labels, uid } = pod.metadata ?? {}
    const hash = annotations?.['kubernetes.io/config.hash']
    assert.equal(annotations?.['kubernetes.io/config.source'], 'file')
    assert.ok(annotations?.['kubernetes.io/config.seen'])
    assert.equal(annotations?.['kubernetes.io/config.mirror'], hash)
    assert.notEqual(uid, hash)
    assert.deepEqual(labels, { app: 'web' })
    assert.deepEqual(
      ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller]),
      [['Node', 'n1', true]],
    )
    await eventually(async () => assert.equal(await node.log(pod, 'main'), 'hello\n'))
    rmSync(file('web.yaml'))
    await node.until('web-n1', found => found === undefined)
    await sandboxes(0)
  })

  it('makes a mirror anew that was deleted, with its status, and the pod runs on', async () => {
    place('kept.yaml', manifest('kept', 'exec sleep 1000'))
    const before = await node.until('kept-n1', isReady)
    await node.pods.delete({ namespace: 'default', name: 'kept-n1' })
    const again = await node.until('kept-n1', pod => pod?.metadata?.uid !== before.metadata?.uid && isReady(pod))
    assert.equal(idOf(again), idOf(before))
    assert.equal(again.status?.startTime, before.status?.startTime)
  })

  it('replaces a pod whose file changed, and leaves one whose file did not over a new life of the node', async () => {
    const before = await node.until('kept-n1', isReady)
    await node.restart()
    const same = await node.until('kept-n1', isReady)
    assert.deepEqual([same.metadata?.uid, idOf(same)], [before.metadata?.uid, idOf(before)])
    place('kept.yaml', manifest('kept', 'exec sleep 2000'))
    const other = await node.until('kept-n1', pod => isReady(pod) && idOf(pod!) !== idOf(before))
    assert.notEqual(
      other.metadata?.annotations?.['kubernetes.io/config.hash'],
      before.metadata?.annotations?.['kubernetes.io/config.hash'],
    )
    await sandboxes(1)
  })

  it('takes no file that is no pod, and no pod that needs the API', async () => {
    place('bad.yaml', 'kind: Pod\n: [')
    place('other.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}')
    place(
      'secret.yaml',
      manifest('secret', 'true').replace(
        '  containers:',
        '  volumes: [{name: s, secret: {secretName: s}}]\n  containers:',
      ),
    )
    place(
      'fine.json',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'fine' },
        spec: { containers: [{ name: 'main', image: 'host', command: ['sleep', '1000'] }] },
      }),
    )
    await node.until('fine-n1', isReady)
    const names = (await node.pods.listAll()).map(pod => pod.metadata?.name)
    assert.deepEqual(names.sort(), ['fine-n1', 'kept-n1'])
  })

  it('a mirror whose manifest went while nobody looked goes, too', async () => {
    await node.restart(async () => rmSync(file('kept.yaml')))
    await node.until('kept-n1', found => found === undefined)
    await node.until('fine-n1', isReady)
    await sandboxes(1)
  })
})
