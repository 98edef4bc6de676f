/** A node that runs short: the real agent on the simulated runtime and a machine that is played, by a clock that is set. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { type Machine, thisMachine } from '../../../src/agent/node/machine.ts'
import { SIMULATE } from '../../../src/agent/runtimes/simulated/annotation.ts'
import { Event } from '../../../src/api/kinds/core/event.ts'
import { Node } from '../../../src/api/kinds/core/node.ts'
import { Pod } from '../../../src/api/kinds/core/pod.ts'
import { startCluster } from '../../../src/cmd/testing.ts'
import { startSimulatedNode } from './simulated-node.ts'

const MI = 1024 ** 2
const GI = 1024 ** 3

/** A cluster whose one node is a real agent, on a machine of 8 Gi of which `others` bytes are in use beside its pods. */
async function start() {
  const cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  const played = { others: GI, disk: 90 * GI, reads: 0 }
  const used = { current: 0 }
  const machine: Machine = {
    capacity: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi', pods: '110' },
    info: thisMachine(tmpdir()).info,
    usage() {
      played.reads++
      return {
        cpuNanoSeconds: 0,
        memoryTotal: 8 * GI,
        memoryAvailable: 8 * GI - played.others - used.current,
        disk: { capacityBytes: 100 * GI, availableBytes: played.disk, usedBytes: 0, inodes: 1000, inodesFree: 900 },
        processes: 100,
        maxProcesses: 32768,
      }
    },
  }
  const { agent, driver, close } = await startSimulatedNode(cluster, { machine })
  const pods = cluster.client.kind<Pod>(Pod)
  const find = (name: string) => pods.find({ namespace: 'default', name })
  const node = () => cluster.client.kind<Node>(Node).get({ name: 'n1' })
  return {
    cluster,
    played,
    find,
    node,
    async readLog({ metadata }: Pod) {
      const of = { namespace: 'default', name: metadata?.name ?? '', uid: metadata?.uid ?? '' }
      return agent.api.logs(of, { container: 'main' }, new AbortController().signal)
    },
    containersOf: async (name: string) => driver.listContainers((await find(name))?.metadata?.uid),
    /** What is used by pods is what those use that run. */
    async count() {
      const running = (await driver.listContainers()).filter(({ state }) => state === 'running')
      const all = await Promise.all(running.map(({ id }) => driver.stats(id)))
      used.current = all.reduce((total, each) => total + (each?.memoryWorkingSet ?? 0), 0)
    },
    condition: async (type: string) => (await node()).status?.conditions?.find(each => each.type === type),
    taints: async () => ((await node()).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`),
    events: async (reason: string) =>
      (await cluster.client.kind<Event>(Event).list()).items.filter(each => each.reason === reason),
    create: (name: string, memory: string, spec: object = {}, ofPod: Partial<Pod['spec']> = {}) =>
      cluster.create<Pod>({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, annotations: { [SIMULATE]: JSON.stringify({ main: { memory } }) } },
        spec: { nodeName: 'n1', ...ofPod, containers: [{ name: 'main', image: 'x', ...spec }] },
      } as Pod),
    async close() {
      await close()
      await cluster.stop()
    },
  }
}

const isRunning = (pod: Pod | undefined) => pod?.status?.phase === 'Running'

test('a node that runs short of memory says so, is tainted, and evicts the pod that takes most beyond its requests', async () => {
  const { cluster, played, find, readLog, condition, taints, events, create, count, containersOf, close } =
    await start()
  await create('modest', '100Mi', { resources: { requests: { memory: '200Mi' } } })
  await create('greedy', '3Gi', { resources: { requests: { memory: '1Gi' } } })
  await create('besteffort', '1Gi')
  await cluster.until(async () => isRunning(await find('besteffort')) && isRunning(await find('greedy')))
  await count()
  await cluster.advance(10_000)
  assert.equal((await condition('MemoryPressure'))?.status, 'False')
  played.others = 8 * GI - (4 * GI + 150 * MI)
  await cluster.advance(10_000)
  const short = await condition('MemoryPressure')
  assert.deepEqual(
    [short?.status, short?.reason, short?.message],
    ['True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
  )
  assert.deepEqual(await taints(), ['node.kubernetes.io/memory-pressure:NoSchedule'])
  await cluster.until(async () => (await find('greedy'))?.status?.phase === 'Failed')
  await count()
  const { status } = (await find('greedy'))!
  assert.equal(status?.reason, 'Evicted')
  assert.equal(
    status?.message,
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
      'Container main was using 3Gi, request is 1Gi, has larger consumption of memory. ',
  )
  const disrupted = status?.conditions?.find(each => each.type === 'DisruptionTarget')
  assert.deepEqual(
    [disrupted?.status, disrupted?.reason, disrupted?.message],
    ['True', 'TerminationByKubelet', status?.message],
  )
  await cluster.until(async () => (await containersOf('greedy')).length === 0)
  await cluster.advance(10_000)
  // What it was stays told when nothing of it is left.
  const greedy = (await find('greedy'))!
  assert.deepEqual(greedy.status, status)
  const ended = status?.containerStatuses?.[0]?.state?.terminated
  await assert.rejects(readLog(greedy), {
    code: 400,
    message: `unable to retrieve container logs for ${ended?.containerID}`,
  })
  assert.ok(isRunning(await find('modest')) && isRunning(await find('besteffort')))
  const [met] = await events('EvictionThresholdMet')
  assert.deepEqual(
    [met?.type, met?.message, met?.involvedObject.kind, met?.involvedObject.name],
    ['Warning', 'Attempting to reclaim memory', 'Node', 'n1'],
  )
  const [told] = await events('Evicted')
  assert.deepEqual([told?.type, told?.message, told?.involvedObject.name], ['Warning', status?.message, 'greedy'])
  // For five minutes nobody may think that all is well for good.
  await create('late', '0')
  await cluster.advance(1_000)
  const late = (await find('late'))?.status
  assert.deepEqual(
    [late?.phase, late?.reason, late?.message],
    ['Failed', 'Evicted', 'Pod was rejected: The node had condition: [MemoryPressure]. '],
  )
  await cluster.advance(300_000)
  assert.equal((await condition('MemoryPressure'))?.reason, 'KubeletHasSufficientMemory')
  assert.deepEqual(await taints(), [])
  await close()
})

test('a node whose disk is full takes no pod but critical ones, until there is room', async () => {
  const { cluster, played, find, condition, taints, create, containersOf, close } = await start()
  await create('done', '0', { command: ['true'] }, { restartPolicy: 'Never' })
  await create('late', '0', {}, { activeDeadlineSeconds: 5 })
  await cluster.until(async () => (await find('done'))?.status?.phase === 'Succeeded')
  await cluster.advance(10_000)
  const ended = await Promise.all(
    ['done', 'late'].map(async name => ({ name, status: (await find(name))!.status, left: await containersOf(name) })),
  )
  assert.deepEqual(
    ended.map(({ status, left }) => [status?.phase, status?.reason, left.length]),
    [
      ['Succeeded', undefined, 1],
      ['Failed', 'DeadlineExceeded', 1],
    ],
  )
  played.disk = 4 * GI
  await cluster.advance(10_000)
  const full = await condition('DiskPressure')
  assert.deepEqual(
    [full?.status, full?.reason, full?.message],
    ['True', 'KubeletHasDiskPressure', 'kubelet has disk pressure'],
  )
  assert.deepEqual(await taints(), ['node.kubernetes.io/disk-pressure:NoSchedule'])
  // What has ended gives its room back, and its status stays.
  for (const { name, status } of ended) {
    await cluster.until(async () => (await containersOf(name)).length === 0)
    assert.deepEqual((await find(name))?.status, status)
  }
  await create('asking', '0', { resources: { requests: { memory: '1Mi' } } })
  await cluster.advance(1_000)
  assert.equal((await find('asking'))?.status?.message, 'Pod was rejected: The node had condition: [DiskPressure]. ')
  await cluster.create<Pod>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'critical', namespace: 'kube-system' },
    spec: { nodeName: 'n1', priorityClassName: 'system-node-critical', containers: [{ name: 'main', image: 'x' }] },
  } as Pod)
  const critical = () => cluster.client.kind<Pod>(Pod).find({ namespace: 'kube-system', name: 'critical' })
  await cluster.until(async () => isRunning(await critical()))
  // It is not evicted either, as long as it lasts.
  await cluster.advance(60_000)
  assert.ok(isRunning(await critical()))
  played.disk = 90 * GI
  await cluster.advance(310_000)
  await create('again', '0')
  await cluster.until(async () => isRunning(await find('again')))
  await close()
})

test('a node that has enough looks with its heartbeat, and at no other time', async () => {
  const { cluster, played, close } = await start()
  const before = played.reads
  await cluster.advance(600_000)
  assert.equal(played.reads - before, 60)
  await close()
})
