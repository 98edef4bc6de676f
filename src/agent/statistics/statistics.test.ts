import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { containerMetrics } from './container-metrics.ts'
import { kubeletMetrics, resourceMetrics, type Statistics, summary } from './statistics.ts'

const NOW = Date.UTC(2026, 0, 1)
const pod: Pod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  status: {
    phase: 'Running',
    startTime: '2026-01-01T00:00:00Z',
    containerStatuses: [{ name: 'main', state: { running: {} } }] as never,
  },
}
const container = {
  id: 'c1',
  podUid: 'u1',
  name: 'main',
  timestamp: NOW - 5,
  cpuUsage: 2_500_000_000,
  memoryUsage: 3000,
  memoryWorkingSet: 2000,
  processes: 3,
  image: 'docker.io/library/"quoted":1',
  startedAt: NOW - 60_000,
}
const CLAIM = {
  volume: 'data',
  claim: 'data-web-0',
  namespace: 'shop',
  disk: { capacityBytes: 1000, availableBytes: 300, usedBytes: 600, inodes: 50, inodesFree: 20 },
}
const TRAFFIC = {
  received: { bytes: 100, packets: 3, errors: 1, dropped: 2 },
  sent: { bytes: 700, packets: 5, errors: 0, dropped: 4 },
}
const all: Statistics = {
  nodeName: 'n',
  now: NOW,
  cores: 2,
  machine: {
    cpuNanoSeconds: 9_000_000_000,
    memoryTotal: 1000,
    memoryAvailable: 400,
    disk: { capacityBytes: 100, availableBytes: 60, usedBytes: 40, inodes: 10, inodesFree: 7 },
    processes: 12,
    maxProcesses: 4194304,
  },
  pods: [
    { pod, containers: [container, { ...container, id: 'c2', name: 'side' }], claims: [CLAIM], traffic: TRAFFIC },
    { pod: { ...pod, metadata: { name: 'done' }, status: { phase: 'Succeeded' } }, containers: [], claims: [CLAIM] },
  ],
}

test('summary tells of the machine as a whole, and of every pod that runs', () => {
  const { node, pods } = summary(all) as {
    node: Record<string, Record<string, number>>
    pods: Record<string, unknown>[]
  }
  assert.equal(node.cpu?.usageCoreNanoSeconds, 9_000_000_000)
  assert.deepEqual([node.memory?.availableBytes, node.memory?.workingSetBytes], [400, 600])
  assert.deepEqual([node.fs?.usedBytes, node.fs?.inodesUsed, node.rlimit?.curproc], [40, 3, 12])
  const imageFs = (machine = all.machine) =>
    (summary({ ...all, machine }) as { node: { runtime: { imageFs: object } } }).node.runtime.imageFs
  assert.partialDeepStrictEqual(imageFs(), { capacityBytes: 100, availableBytes: 60, inodesUsed: 3 })
  assert.ok(!('usedBytes' in imageFs()))
  const imageDisk = { ...all.machine.disk!, capacityBytes: 200, usedBytes: 7 }
  assert.partialDeepStrictEqual(imageFs({ ...all.machine, imageDisk }), { capacityBytes: 200, usedBytes: 7 })
  assert.equal(pods.length, 1)
  assert.deepEqual(pods[0]?.podRef, { name: 'web', namespace: 'shop', uid: 'u1' })
  assert.partialDeepStrictEqual(pods[0]?.volume, [
    {
      name: 'data',
      pvcRef: { name: 'data-web-0', namespace: 'shop' },
      capacityBytes: 1000,
      usedBytes: 600,
      inodesUsed: 30,
    },
  ])
  assert.partialDeepStrictEqual(pods[0]?.network, {
    name: 'eth0',
    rxBytes: 100,
    rxErrors: 1,
    txBytes: 700,
    txErrors: 0,
  })
  assert.equal((pods[0]!.cpu as { usageCoreNanoSeconds: number }).usageCoreNanoSeconds, 5_000_000_000)
})

test('resourceMetrics has containers, pods and the node', () => {
  const lines = resourceMetrics(all).split('\n')
  for (const expected of [
    `container_cpu_usage_seconds_total{container="main",namespace="shop",pod="web"} 2.5 ${NOW - 5}`,
    `container_memory_working_set_bytes{container="side",namespace="shop",pod="web"} 2000 ${NOW - 5}`,
    `pod_memory_working_set_bytes{namespace="shop",pod="web"} 4000 ${NOW}`,
    `node_cpu_usage_seconds_total 9 ${NOW}`,
    `node_memory_working_set_bytes 600 ${NOW}`,
    'resource_scrape_error 0',
  ])
    assert.ok(lines.includes(expected), expected)
})

test('containerMetrics escapes what stands in labels', () => {
  const text = containerMetrics(all)
  assert.match(
    text,
    /container_memory_usage_bytes\{container="main",id="\/kubepods\/podu1\/c1",image="docker\.io\/library\/\\"quoted\\":1"/,
  )
  assert.match(text, /^machine_cpu_cores 2$/m)
})

test('containerMetrics tells of pods and the machine as those without a container', () => {
  const lines = containerMetrics(all).split('\n')
  const of = (id: string, namespace: string, name: string) =>
    `container="",id="${id}",image="",name="",namespace="${namespace}",pod="${name}"`
  for (const expected of [
    `container_cpu_usage_seconds_total{${of('/kubepods/podu1', 'shop', 'web')},cpu="total"} 5 ${NOW - 5}`,
    `container_cpu_usage_seconds_total{${of('/', '', '')},cpu="total"} 9 ${NOW}`,
    `container_memory_working_set_bytes{${of('/kubepods/podu1', 'shop', 'web')}} 4000 ${NOW - 5}`,
    `container_memory_working_set_bytes{${of('/', '', '')}} 600 ${NOW}`,
  ])
    assert.ok(lines.includes(expected), expected)
})

test('containerMetrics tells what went through the link of a pod', () => {
  const labels = 'container="",id="/kubepods/podu1",image="",interface="eth0",name="",namespace="shop",pod="web"'
  const lines = containerMetrics(all).split('\n')
  assert.deepEqual(
    lines.filter(each => each.startsWith('container_network_')),
    [
      `receive_bytes_total{${labels}} 100 ${NOW}`,
      `receive_packets_total{${labels}} 3 ${NOW}`,
      `receive_errors_total{${labels}} 1 ${NOW}`,
      `receive_packets_dropped_total{${labels}} 2 ${NOW}`,
      `transmit_bytes_total{${labels}} 700 ${NOW}`,
      `transmit_packets_total{${labels}} 5 ${NOW}`,
      `transmit_errors_total{${labels}} 0 ${NOW}`,
      `transmit_packets_dropped_total{${labels}} 4 ${NOW}`,
    ].map(each => `container_network_${each}`),
  )
})

test('containerMetrics tells parts of memory and how the limit of CPU held a container up, where that is known', () => {
  const details = {
    ...{ memoryRss: 1500, memoryCache: 400, memorySwap: 7 },
    ...{ periods: 50, throttledPeriods: 20, throttledTime: 3_000_000_000 },
  }
  const resources = { cpuShares: 51, cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimit: 64 << 20 }
  const limited = { ...container, details, resources }
  const free = { ...container, id: 'c2', name: 'side', details: { ...details, periods: 0 } }
  const text = containerMetrics({ ...all, pods: [{ pod, containers: [limited, free], claims: [] }] })
  const found = (name: string, containerName: string) =>
    new RegExp(`^container_${name}\\{container="${containerName}",[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]
  for (const [name, value, pods = undefined] of [
    ['memory_rss', '1500', '3000'],
    ['memory_cache', '400', '800'],
    ['memory_swap', '7', '14'],
    ['cpu_cfs_periods_total', '50'],
    ['cpu_cfs_throttled_periods_total', '20'],
    ['cpu_cfs_throttled_seconds_total', '3'],
    ['spec_cpu_shares', '51'],
    ['spec_cpu_quota', '20000'],
    ['spec_cpu_period', '100000'],
    ['spec_memory_limit_bytes', '67108864'],
  ] as const)
    assert.deepEqual([found(name, 'main'), found(name, '')], [value, pods], name)
  assert.equal(found('cpu_cfs_periods_total', 'side'), undefined)
  assert.doesNotMatch(containerMetrics(all), /memory_rss\{|cfs_periods_total\{|spec_memory_limit_bytes\{/)
})

test('kubeletMetrics counts pods that have not ended, and containers by state', () => {
  const lines = kubeletMetrics(all).split('\n')
  for (const expected of ['kubelet_running_pods 1', 'kubelet_running_containers{container_state="running"} 1'])
    assert.ok(lines.includes(expected), expected)
})

test('kubeletMetrics tells of each claim once, whoever uses it', () => {
  const lines = kubeletMetrics(all)
    .split('\n')
    .filter(each => each.startsWith('kubelet_volume_stats_'))
  const labels = '{namespace="shop",persistentvolumeclaim="data-web-0"}'
  assert.deepEqual(
    lines.sort(),
    [
      `available_bytes${labels} 300`,
      `capacity_bytes${labels} 1000`,
      `inodes${labels} 50`,
      `inodes_free${labels} 20`,
      `inodes_used${labels} 30`,
      `used_bytes${labels} 600`,
    ]
      .map(each => `kubelet_volume_stats_${each}`)
      .sort(),
  )
})
