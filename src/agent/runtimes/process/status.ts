/** What the process runtime tells of its sandboxes and containers. */
import type { Clock } from '../../../lib/clock.ts'
import { mountedImages } from '../mounted-images.ts'
import type { ContainerStats, ContainerStatus, SandboxStatus } from '../runtime.ts'
import type { Container, Sandbox } from './container-life.ts'
import type { ImageUser } from './image-user.ts'
import { identityOf } from './placement.ts'
import type { Platform } from './platform.ts'
import { descendants, usage } from './proc.ts'

/** A container as the agent sees it. */
export function containerStatus(container: Container): ContainerStatus {
  const { config, createdAt, image } = container.state
  return {
    id: container.id,
    sandboxId: container.sandbox.id,
    podUid: container.sandbox.state.config.uid,
    name: config.name,
    attempt: config.attempt,
    state: container.phase,
    image: config.image,
    imageId: image?.imageId ?? '',
    ...mountedImages(config.mounts),
    annotations: config.annotations,
    resources: config.resources,
    stopSignal: stopSignalOf(container),
    ...(image ? userOf(image.user) : { user: identityOf(config) }),
    createdAt,
    startedAt: container.startedAt,
    finishedAt: container.finishedAt,
    ...(container.phase === 'exited' ? { exitCode: container.exitCode ?? 0, reason: container.reason ?? '' } : {}),
    ...(container.message ? { message: container.message } : {}),
    ...(container.main && container.phase === 'running' ? { pid: container.main.pid } : {}),
  }
}

/** The signal that asks it to end: the pod's, the image's, or the usual one. */
export const stopSignalOf = ({ state: { config, image } }: Container): string =>
  config.stopSignal ?? image?.stopSignal ?? 'SIGTERM'

const userOf = (user: ImageUser | undefined) =>
  user ? { user: { uid: user.uid, gid: user.gid, supplementalGroups: [user.gid, ...user.groups] } } : {}

/** A sandbox as the agent sees it. */
export function sandboxStatus(sandbox: Sandbox): SandboxStatus {
  const { config, createdAt, stopped } = sandbox.state
  const { namespace, name, uid, attempt, ips } = config
  return { id: sandbox.id, namespace, name, uid, attempt, state: stopped ? 'stopped' : 'ready', createdAt, ips }
}

/** What a running container uses, by its cgroup or else by its processes; undefined for one that does not run. */
export function containerStats(container: Container, platform: Platform, clock: Clock): ContainerStats | undefined {
  if (container.phase !== 'running' || !container.supervisor) return undefined
  const name = container.state.config.name
  const shared = { id: container.id, podUid: container.sandbox.state.config.uid, name, timestamp: clock.now() }
  const group = platform.cgroups?.usage(container.state.cgroup)
  if (group) {
    const { cpu, memory, workingSet, processes } = group
    return {
      ...shared,
      cpuUsage: cpu,
      memoryUsage: memory,
      memoryWorkingSet: workingSet,
      processes,
      details: group,
    }
  }
  const pids = descendants(container.supervisor.pid).slice(1)
  const { cpu, memory } = usage(pids)
  return { ...shared, cpuUsage: cpu, memoryUsage: memory, memoryWorkingSet: memory, processes: pids.length }
}
