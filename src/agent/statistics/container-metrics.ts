/**
 * `/metrics/cadvisor`: the names and labels by which dashboards and alerts for Kubernetes look for containers. As there,
 * a pod as a whole has no `container` and no `image`, and the machine has the id `/`.
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import {
  POD_LINK,
  type PodUsage,
  podLabels,
  type RunningContainer,
  SECOND,
  type Statistics,
  sum,
} from './statistics.ts'
import { family, type Labels, type Sample } from './text.ts'

/** What is told of containers one by one, and of what they are part of: its labels, and the containers in it. */
interface Group {
  readonly labels: Labels
  readonly containers: readonly RunningContainer[]
  readonly time: number
}

const podId = ({ metadata }: Pod) => `/kubepods/pod${metadata?.uid}`

const containersOf = ({ pod, containers }: PodUsage): Group[] =>
  containers.map(each => ({
    labels: {
      container: each.name,
      id: `${podId(pod)}/${each.id}`,
      image: each.image,
      name: each.id,
      ...podLabels(pod),
    },
    containers: [each],
    time: each.timestamp,
  }))

const podGroup = ({ pod, containers }: PodUsage): Group => ({
  labels: { container: '', id: podId(pod), image: '', name: '', ...podLabels(pod) },
  containers,
  time: Math.max(...containers.map(each => each.timestamp)),
})

const MACHINE: Labels = { container: '', id: '/', image: '', name: '', namespace: '', pod: '' }

type Read = (container: RunningContainer) => number | undefined

/** Samples of the groups in which every container says a number. */
const totals = (groups: readonly Group[], read: Read, more?: Labels): Sample[] =>
  groups.flatMap(({ labels, containers, time }): Sample[] => {
    const numbers = containers.map(read).filter(each => each !== undefined)
    return numbers.length === containers.length ? [[{ ...labels, ...more }, sum(numbers), time]] : []
  })

/** A limit of CPU is what gives a container periods. */
const limited =
  (read: Read): Read =>
  each =>
    each.details?.periods ? read(each) : undefined

/** What went through the links of pods. */
function networkMetrics(pods: readonly PodUsage[], now: number): string[] {
  const linked = pods.flatMap(({ pod, traffic }) => (traffic ? [{ pod, traffic }] : []))
  const ways = [
    ['receive', 'received'],
    ['transmit', 'sent'],
  ] as const
  const numbers = ['bytes', 'packets', 'errors', 'dropped'] as const
  return ways.flatMap(([name, way]) =>
    numbers.map(what =>
      family(
        `container_network_${name}_${what === 'dropped' ? 'packets_dropped' : what}_total`,
        'counter',
        `${what} of a pod's network, ${way}.`,
        linked.map(
          ({ pod, traffic }): Sample => [
            { container: '', id: podId(pod), image: '', interface: POD_LINK, name: '', ...podLabels(pod) },
            traffic[way][what],
            now,
          ],
        ),
      ),
    ),
  )
}

export function containerMetrics({ pods, machine, cores, now }: Statistics): string {
  const running = pods.filter(({ containers }) => containers.length)
  const containers = running.flatMap(containersOf)
  const all = [...containers, ...running.map(podGroup)]
  const used = machine.memoryTotal - machine.memoryAvailable
  const told = (type: 'counter' | 'gauge', groups: readonly Group[]) => (name: string, help: string, read: Read) =>
    family(`container_${name}`, type, help, totals(groups, read))
  const [gauge, ofEach, counterOfEach] = [told('gauge', all), told('gauge', containers), told('counter', containers)]
  return [
    family('container_cpu_usage_seconds_total', 'counter', 'Time of the processor that was used, in core-seconds.', [
      ...totals(all, each => each.cpuUsage / SECOND, { cpu: 'total' }),
      [{ ...MACHINE, cpu: 'total' }, machine.cpuNanoSeconds / SECOND, now],
    ]),
    counterOfEach(
      'cpu_cfs_periods_total',
      'Periods of the limit of CPU.',
      limited(each => each.details?.periods),
    ),
    counterOfEach(
      'cpu_cfs_throttled_periods_total',
      'Periods in which the limit of CPU was reached.',
      limited(each => each.details?.throttledPeriods),
    ),
    counterOfEach(
      'cpu_cfs_throttled_seconds_total',
      'Time for which the limit of CPU held it up.',
      limited(each => each.details && each.details.throttledTime / SECOND),
    ),
    gauge('memory_usage_bytes', 'Memory that is used, in bytes.', each => each.memoryUsage),
    family('container_memory_working_set_bytes', 'gauge', 'Working set in bytes.', [
      ...totals(all, each => each.memoryWorkingSet),
      [MACHINE, used, now],
    ]),
    gauge('memory_rss', 'Memory that is no file, in bytes.', each => each.details?.memoryRss),
    gauge('memory_cache', 'Memory of files, in bytes.', each => each.details?.memoryCache),
    gauge('memory_swap', 'Memory that was swapped out, in bytes.', each => each.details?.memorySwap),
    gauge('processes', 'Processes that run.', each => each.processes),
    ofEach('start_time_seconds', 'When it began, in seconds since the epoch.', each => each.startedAt / 1000),
    ofEach('spec_cpu_shares', 'Its share of CPU.', each => each.resources?.cpuShares),
    ofEach('spec_cpu_period', 'Period of its limit of CPU, in microseconds.', each => each.resources?.cpuPeriod),
    ofEach('spec_cpu_quota', 'CPU in such a period, in microseconds.', each => each.resources?.cpuQuota),
    ofEach(
      'spec_memory_limit_bytes',
      'Its limit of memory, 0 without one.',
      each => each.resources && (each.resources.memoryLimit ?? 0),
    ),
    ...networkMetrics(running, now),
    family('machine_cpu_cores', 'gauge', 'Cores of the machine.', [[{}, cores]]),
    family('machine_memory_bytes', 'gauge', 'Memory of the machine in bytes.', [[{}, machine.memoryTotal]]),
  ].join('')
}
