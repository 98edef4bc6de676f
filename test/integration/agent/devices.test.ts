/** Devices of plugins, on a node with the real agent and plain processes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { nodes } from '../../../src/agent/resources.ts'
import { eventually } from '../../../src/lib/eventually.fixture.ts'
import { type DevicePlugin, type PluginOptions, startDevicePlugin } from './device-plugin.ts'
import { isReady, type Node, startNode } from './node.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: mounts are made'

describe('devices of plugins', { skip }, () => {
  let node: Node
  const folder = mkdtempSync(join(tmpdir(), 'tutti-devices-'))
  const plugins: DevicePlugin[] = []
  before(async () => {
    node = await startNode()
    await node.createAccount()
  })
  after(async () => {
    for (const plugin of plugins) plugin.stop()
    await node.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = async (options: Omit<PluginOptions, 'directory'>, ids: readonly string[]) => {
    const plugin = await startDevicePlugin({ directory: join(node.directory, 'device-plugins'), ...options }, ids)
    plugins.push(plugin)
    await plugin.register()
    return plugin
  }
  /** Waits until the node says that it has so many, and that so many can be given. */
  async function has(resource: string, capacity: string, allocatable: string) {
    await eventually(async () => {
      const { status } = await node.admin.kind(nodes).get({ name: 'n1' })
      assert.deepEqual([status?.capacity?.[resource], status?.allocatable?.[resource]], [capacity, allocatable])
    })
  }
  const wants = (resource: string, count: number, script: string, more: object = {}) => ({
    name: 'main',
    image: 'host',
    command: ['/bin/sh', '-c', script],
    resources: { limits: { [resource]: String(count) } },
    ...more,
  })
  const remove = (name: string) => node.pods.delete({ namespace: 'default', name }, { gracePeriodSeconds: 0 })

  it('are resources of the node, by their health, and go with their plugin', async () => {
    const plugin = await start({ resource: 'example.com/counted' }, ['a', 'b', 'c'])
    await has('example.com/counted', '3', '3')
    plugin.offer(['a'], ['b'])
    await has('example.com/counted', '2', '1')
    plugin.stop()
    await has('example.com/counted', '2', '0')
    const other = await start({ resource: 'example.com/counted' }, ['x'])
    await has('example.com/counted', '1', '1')
    other.stop()
  })

  it('are given to containers with what their plugin says, and asked for before each start', async () => {
    const file = join(folder, 'library')
    writeFileSync(file, 'from the plugin')
    const mounts = [{ containerPath: '/mnt/library', hostPath: file, readOnly: true }]
    const devices = [{ containerPath: '/dev/example', hostPath: '/dev/null', permissions: 'rw' }]
    const options = { resource: 'example.com/full', preStartRequired: true, prefers: ['c', 'b'] }
    const plugin = await start({ ...options, answer: () => ({ mounts, devices }) }, ['a', 'b', 'c'])
    await has('example.com/full', '3', '3')
    const script =
      'echo $DEVICES; cat /mnt/library; test -c /dev/example && echo " device"; echo > /mnt/library || exit 0'
    await node.create('full', { restartPolicy: 'Never', containers: [wants('example.com/full', 2, script)] })
    const pod = await node.ended('full')
    assert.match(await node.log(pod, 'main'), /^c,b\nfrom the plugin device\n.*(Read-only|Permission)/)
    assert.deepEqual(plugin.calls, ['allocate c b', 'start c b'])
    plugin.stop()
  })

  it('are given once: a pod for which there are not enough is refused, until those of others are free', async () => {
    await start({ resource: 'example.com/scarce' }, ['a', 'b'])
    await has('example.com/scarce', '2', '2')
    const holds = { containers: [wants('example.com/scarce', 2, 'sleep 1000')], terminationGracePeriodSeconds: 1 }
    await node.create('holder', holds)
    await node.until('holder', isReady)
    await node.create('late', { restartPolicy: 'Never', containers: [wants('example.com/scarce', 1, 'true')] })
    const { status } = await node.ended('late')
    assert.equal(status?.reason, 'UnexpectedAdmissionError')
    assert.equal(
      status?.message,
      'Pod was rejected: Allocate failed due to requested number of devices unavailable for example.com/scarce. ' +
        'Requested: 1, Available: 0, which is unexpected',
    )
    await node.pods.delete({ namespace: 'default', name: 'holder' })
    await node.until('holder', pod => pod === undefined)
    await node.create('next', { restartPolicy: 'Never', containers: [wants('example.com/scarce', 1, 'echo $DEVICES')] })
    assert.match(await node.log(await node.ended('next'), 'main'), /^[ab]\n$/)
  })

  it('of init containers are used again by those that come after them', async () => {
    const plugin = await start({ resource: 'example.com/shared' }, ['a'])
    await has('example.com/shared', '1', '1')
    await node.create('shared', {
      restartPolicy: 'Never',
      initContainers: [wants('example.com/shared', 1, 'true', { name: 'first' })],
      containers: [wants('example.com/shared', 1, 'echo $DEVICES')],
    })
    assert.equal(await node.log(await node.ended('shared'), 'main'), 'a\n')
    assert.deepEqual(plugin.calls, ['allocate a', 'allocate a'])
  })

  it('stay with their pod over a new life of the node, which offers none before their plugin is back', async () => {
    const plugin = await start({ resource: 'example.com/kept' }, ['a', 'b'])
    await has('example.com/kept', '2', '2')
    await node.create('kept', { containers: [wants('example.com/kept', 1, 'echo $DEVICES; sleep 1000')] })
    const first = await node.until('kept', isReady)
    await node.restart()
    await has('example.com/kept', '0', '0')
    await plugin.register()
    await has('example.com/kept', '2', '2')
    await node.create('other', { restartPolicy: 'Never', containers: [wants('example.com/kept', 1, 'echo $DEVICES')] })
    const taken = (await node.log(first, 'main')).trim()
    assert.equal((await node.log(await node.ended('other'), 'main')).trim(), taken === 'a' ? 'b' : 'a')
    const now = await node.pods.get({ namespace: 'default', name: 'kept' })
    assert.equal(now.status?.containerStatuses?.[0]?.restartCount, 0)
    await remove('kept')
  })

  for (const [what, options, message] of [
    ['another version', { resource: 'example.com/x', version: 'v1alpha' }, /"v1alpha" is not supported by kubelet/],
    ['a resource of Kubernetes', { resource: 'kubernetes.io/x' }, /the ResourceName "kubernetes.io\/x" is invalid/],
    ['a resource of a wrong domain', { resource: 'a..b/x' }, /the ResourceName "a\.\.b\/x" is invalid/],
    ['a resource without a domain', { resource: 'plain' }, /the ResourceName "plain" is invalid/],
  ] as const)
    it(`refuse a plugin of ${what}`, async () => {
      await assert.rejects(start(options, ['a']), { message })
    })
})
