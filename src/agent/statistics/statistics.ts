/** What runs on the node and what it uses, in the three forms in which a kubelet tells it. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import type { Disk, MachineUsage } from '../node/usage.ts'
import { podRef } from '../pod/object.ts'
import type { Traffic } from '../pod-network.ts'
import type { ContainerStats, Resources } from '../runtimes/runtime.ts'
import type { ClaimUsage } from './claims.ts'
import { family, type Labels, type Sample } from './text.ts'

export interface PodUsage {
  readonly pod: Pod
  readonly containers: readonly RunningContainer[]
  readonly claims: readonly ClaimUsage[]
  /** Where it has a network of its own. */
  readonly traffic?: Traffic | undefined
}

export interface RunningContainer extends ContainerStats {
  readonly image: string
  /** ms since the epoch. */
  readonly startedAt: number
  /** Its limits as they are. */
  readonly resources?: Resources
}

export interface Statistics {
  readonly nodeName: string
  /** ms since the epoch. */
  readonly now: number
  readonly machine: MachineUsage
  readonly cores: number
  readonly pods: readonly PodUsage[]
}

/** A pod's link, by its name inside. */
export const POD_LINK = 'eth0'

export const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

/** What a machine that is not there uses: what its pods do, of so many bytes of memory. */
export function usageOfPods(pods: readonly PodUsage[], memoryTotal: number): MachineUsage {
  const all = pods.flatMap(each => each.containers)
  return {
    cpuNanoSeconds: sum(all.map(each => each.cpuUsage)),
    memoryTotal,
    memoryAvailable: Math.max(0, memoryTotal - sum(all.map(each => each.memoryWorkingSet))),
    disk: undefined,
    processes: sum(all.map(each => each.processes)),
    maxProcesses: 0,
  }
}

function usageOf(stats: readonly ContainerStats[], time: string) {
  return {
    cpu: { time, usageCoreNanoSeconds: sum(stats.map(each => each.cpuUsage)) },
    memory: {
      time,
      usageBytes: sum(stats.map(each => each.memoryUsage)),
      workingSetBytes: sum(stats.map(each => each.memoryWorkingSet)),
    },
  }
}

/** The one link that a pod has. */
function networkOf({ received, sent }: Traffic, time: string) {
  const numbers = {
    name: POD_LINK,
    rxBytes: received.bytes,
    rxErrors: received.errors,
    txBytes: sent.bytes,
    txErrors: sent.errors,
  }
  return { time, ...numbers, interfaces: [numbers] }
}

/** stats/v1alpha1 Summary. */
export function summary({ nodeName, now, machine, pods }: Statistics): object {
  const time = rfc3339(now)
  const used = machine.memoryTotal - machine.memoryAvailable
  const { disk, imageDisk } = machine
  const filesOf = (found: Omit<Disk, 'usedBytes'>) => ({ time, ...found, inodesUsed: found.inodes - found.inodesFree })
  /** What images take of a disk that is not theirs alone is not counted. */
  const sharedFilesOf = ({ usedBytes: _, ...rest }: Disk) => filesOf(rest)
  const imageFs = imageDisk ? filesOf(imageDisk) : disk && sharedFilesOf(disk)
  return {
    node: {
      nodeName,
      cpu: { time, usageCoreNanoSeconds: machine.cpuNanoSeconds },
      memory: { time, availableBytes: machine.memoryAvailable, usageBytes: used, workingSetBytes: used },
      ...(disk && { fs: filesOf(disk) }),
      ...(imageFs && { runtime: { imageFs } }),
      rlimit: { time, maxpid: machine.maxProcesses, curproc: machine.processes },
    },
    pods: pods
      .filter(({ containers }) => containers.length)
      .map(({ pod, containers, claims, traffic }) => ({
        podRef: podRef(pod),
        ...(traffic && { network: networkOf(traffic, time) }),
        ...(claims.length && {
          volume: claims.map(({ volume: name, claim, namespace, disk }) => ({
            ...filesOf(disk),
            name,
            pvcRef: { name: claim, namespace },
          })),
        }),
        startTime: pod.status?.startTime ?? null,
        ...usageOf(containers, time),
        process_stats: { process_count: sum(containers.map(each => each.processes)) },
        containers: containers.map(each => ({
          name: each.name,
          startTime: rfc3339(each.startedAt),
          ...usageOf([each], rfc3339(each.timestamp)),
        })),
      })),
  }
}

/** Nanoseconds. */
export const SECOND = 1e9

const perContainer = ({ pods }: Statistics, value: (container: RunningContainer, pod: Pod) => Sample) =>
  pods.flatMap(({ pod, containers }) => containers.map(each => value(each, pod)))

export const podLabels = ({ metadata }: Pod): Labels => ({
  namespace: metadata?.namespace ?? '',
  pod: metadata?.name ?? '',
})

/** `/metrics/resource` (KEP-727): what autoscaling and `kubectl top` need. */
export function resourceMetrics(all: Statistics): string {
  const { machine, now, pods } = all
  const running = pods.filter(({ containers }) => containers.length)
  const labels = (each: RunningContainer, pod: Pod): Labels => ({ container: each.name, ...podLabels(pod) })
  const used = machine.memoryTotal - machine.memoryAvailable
  const perPod = (value: (stats: ContainerStats) => number) =>
    running.map(({ pod, containers }): Sample => [podLabels(pod), sum(containers.map(value)), now])
  return [
    family(
      'container_cpu_usage_seconds_total',
      'counter',
      'Time of the processor that a container has used, in core-seconds.',
      perContainer(all, (each, pod) => [labels(each, pod), each.cpuUsage / SECOND, each.timestamp]),
    ),
    family(
      'container_memory_working_set_bytes',
      'gauge',
      'Working set of a container in bytes.',
      perContainer(all, (each, pod) => [labels(each, pod), each.memoryWorkingSet, each.timestamp]),
    ),
    family(
      'container_start_time_seconds',
      'gauge',
      'When a container began, in seconds since the epoch.',
      perContainer(all, (each, pod) => [labels(each, pod), each.startedAt / 1000]),
    ),
    family(
      'node_cpu_usage_seconds_total',
      'counter',
      'Time of the processor that the node has used, in core-seconds.',
      [[{}, machine.cpuNanoSeconds / SECOND, now]],
    ),
    family('node_memory_working_set_bytes', 'gauge', 'Working set of the node in bytes.', [[{}, used, now]]),
    family(
      'pod_cpu_usage_seconds_total',
      'counter',
      'Time of the processor that a pod has used, in core-seconds.',
      perPod(each => each.cpuUsage / SECOND),
    ),
    family(
      'pod_memory_working_set_bytes',
      'gauge',
      'Working set of a pod in bytes.',
      perPod(each => each.memoryWorkingSet),
    ),
    family('resource_scrape_error', 'gauge', '1 where container metrics could not be had, 0 otherwise.', [[{}, 0]]),
  ].join('')
}

/** What is left of volumes, under the names by which alerts look for it; each claim once, however many pods use it. */
function claimMetrics(pods: readonly PodUsage[]): string[] {
  const byClaim = new Map(pods.flatMap(each => each.claims).map(each => [`${each.namespace}/${each.claim}`, each]))
  const gauge = (name: string, help: string, value: (disk: Disk) => number) =>
    family(
      `kubelet_volume_stats_${name}`,
      'gauge',
      help,
      [...byClaim.values()].map(
        ({ namespace, claim, disk }): Sample => [{ namespace, persistentvolumeclaim: claim }, value(disk)],
      ),
    )
  return [
    gauge('available_bytes', 'Bytes of a volume that can be had.', each => each.availableBytes),
    gauge('capacity_bytes', 'Bytes of a volume.', each => each.capacityBytes),
    gauge('inodes', 'Files that a volume can have.', each => each.inodes),
    gauge('inodes_free', 'Files that a volume can have yet.', each => each.inodesFree),
    gauge('inodes_used', 'Files of a volume.', each => each.inodes - each.inodesFree),
    gauge('used_bytes', 'Bytes of a volume that are used.', each => each.usedBytes),
  ]
}

/** `/metrics`: what a kubelet counts of itself. */
export function kubeletMetrics({ nodeName, pods }: Statistics): string {
  const active = pods.filter(({ pod }) => !isFinished(pod))
  const states = active.flatMap(({ pod }) => pod.status?.containerStatuses ?? []).map(({ state }) => state ?? {})
  const started = active.map(({ pod }) => parseTime(pod.status?.startTime)).filter(each => each !== undefined)
  return [
    family('kubelet_node_name', 'gauge', 'The name of the node. The count is always 1.', [[{ node: nodeName }, 1]]),
    family('kubelet_running_pods', 'gauge', 'Pods that have a sandbox which runs.', [[{}, active.length]]),
    family(
      'kubelet_running_containers',
      'gauge',
      'Containers by their state.',
      (['running', 'waiting', 'terminated'] as const).map(
        (name): Sample => [
          { container_state: name === 'terminated' ? 'exited' : name === 'waiting' ? 'created' : name },
          states.filter(state => state[name]).length,
        ],
      ),
    ),
    family('kubelet_desired_pods', 'gauge', 'Pods that the node is to run.', [[{ static: '' }, started.length]]),
    ...claimMetrics(pods),
  ].join('')
}

/** `/metrics/slis`: whoever answers this is healthy, as `/healthz` says. */
export const healthMetrics = (): string =>
  family('kubernetes_healthcheck', 'gauge', 'Whether a check passed when it was last asked.', [
    [{ name: 'ping', type: 'healthz' }, 1],
  ])
