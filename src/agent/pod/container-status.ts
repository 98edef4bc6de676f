/** One container's part of a pod's status, out of what its runtime says and what was said of it before: pure. */
import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  ResourceRequirements,
  VolumeMount,
} from '../../api/generated/types/core-v1.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { isRecursiveReadOnly } from '../volumes/recursive-read-only.ts'
import { statusesOf } from './object.ts'
import type { Sort } from './slot.ts'

/** One container of a pod as the agent sees it. */
export interface ContainerView {
  readonly spec: Container
  readonly sort: Sort
  /** Instances that the runtime has, newest first. */
  readonly instances: readonly Instance[]
  /** Why it is not running though it should be. */
  readonly waiting?: { readonly reason: string; readonly message?: string } | undefined
  readonly started: boolean
  readonly ready: boolean
  /** How the instance ended that the runtime knows no more. */
  readonly lost?: Lost | undefined
  /** Amounts that it has been given. */
  readonly given: ResourceRequirements | undefined
  /** They are in force: where it runs, the kernel has them. */
  readonly inForce: boolean
}

/** An instance that was known and cannot be found. */
export interface Lost {
  readonly terminated: ContainerStateTerminated
  /** Restarts before it. */
  readonly restartCount: number
}

/** What is needed of the pod. */
export interface StatusContext {
  /** Nothing of it will be started again. */
  readonly terminal: boolean
  /** The pod as a whole has failed. */
  readonly failure?: object | undefined
  /** The runtime can make mounts read-only with all that is mounted below them. */
  readonly recursiveReadOnly: boolean
  /** Prefix of container ids, e.g. `process`. */
  readonly runtime: string
}

/** In JSON, times that are not known. */
const UNKNOWN_TIMES = { startedAt: null, finishedAt: null } as unknown as { startedAt: string; finishedAt: string }

/** The end of what ran, by the status that it left; undefined where nothing ran. */
export function lostOf(status: ContainerStatus | undefined): Lost | undefined {
  const { restartCount = 0, state } = status ?? {}
  if (state?.terminated) return { terminated: state.terminated, restartCount }
  if (!state?.running) return undefined
  const terminated: ContainerStateTerminated = {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    ...UNKNOWN_TIMES,
  }
  return { terminated, restartCount }
}

/** What an instance's state is to clients. */
function stateOf(instance: Instance, runtime: string, initial: string): ContainerState {
  if (instance.state === 'running') return { running: { startedAt: rfc3339(instance.startedAt) } }
  if (instance.state !== 'exited') return { waiting: { reason: initial } }
  return {
    terminated: {
      exitCode: instance.exitCode ?? 0,
      ...(instance.reason ? { reason: instance.reason } : {}),
      ...(instance.message ? { message: instance.message } : {}),
      startedAt: rfc3339(instance.startedAt),
      finishedAt: rfc3339(instance.finishedAt),
      containerID: `${runtime}://${instance.id}`,
    },
  }
}

const sameEnd = (a: ContainerState, b: ContainerState) =>
  a.terminated?.containerID !== undefined && a.terminated.containerID === b.terminated?.containerID

/** An end that was told as one for want of memory stays it: who has seen that may be gone, and a runtime not know it. */
function asTold(state: ContainerState, old: ContainerStatus | undefined): ContainerState {
  const { terminated } = state
  if (terminated?.reason !== 'Error') return state
  const told = [old?.state, old?.lastState].find(each => each && sameEnd(each, state))
  return told?.terminated?.reason === 'OOMKilled' ? { terminated: { ...terminated, reason: 'OOMKilled' } } : state
}

/** Present and last state. */
function statesOf(view: ContainerView, old: ContainerStatus | undefined, initial: string, context: StatusContext) {
  const [latest, previous] = view.instances
  const shown = (instance: Instance) => asTold(stateOf(instance, context.runtime, initial), old)
  const waiting: ContainerState = { waiting: view.waiting ?? { reason: initial } }
  if (!latest) {
    if (!view.lost) return { state: waiting, lastState: old?.lastState ?? {} }
    const { terminated } = view.lost
    // What will not be started again ended as it ended; what will, waits for it.
    if (context.terminal) return { state: { terminated }, lastState: old?.lastState ?? {} }
    return { state: waiting, lastState: { terminated } }
  }
  const state = shown(latest)
  let lastState: ContainerState = previous ? shown(previous) : {}
  if (!previous && view.lost) lastState = { terminated: view.lost.terminated }
  if (!previous && old?.lastState?.terminated && !sameEnd(old.lastState, state)) lastState = old.lastState
  if (!view.waiting || state.running) return { state, lastState }
  return { state: waiting, lastState: state.terminated ? state : lastState }
}

/** Amounts that stand in the status: those that are in force. */
function resourcesOf(view: ContainerView, old: ContainerStatus | undefined): Partial<ContainerStatus> {
  if (view.sort === 'ephemeral') return {}
  const { requests, limits } = view.given ?? {}
  const shown = view.inForce
    ? { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) }
    : (old?.resources ?? {})
  return { ...(requests ? { allocatedResources: requests } : {}), resources: shown }
}

function mountsOf({ volumeMounts }: Container, { recursiveReadOnly }: StatusContext): Partial<ContainerStatus> {
  if (!volumeMounts?.length) return {}
  const mode = (mount: VolumeMount) => {
    try {
      return isRecursiveReadOnly(mount, recursiveReadOnly) ? 'Enabled' : 'Disabled'
    } catch {
      // Such a container does not start, and says why.
      return 'Disabled'
    }
  }
  return {
    volumeMounts: volumeMounts.map(mount => ({
      name: mount.name,
      mountPath: mount.mountPath,
      ...(mount.readOnly ? { readOnly: true, recursiveReadOnly: mode(mount) } : {}),
    })),
  }
}

const userOf = ({ uid, gid, supplementalGroups }: NonNullable<Instance['user']>) => ({
  uid,
  gid,
  ...(supplementalGroups.length > 0 ? { supplementalGroups: [...supplementalGroups] } : {}),
})

/** `pod` brings the status that was written last; `initial` is why a container that has not run waits. */
export function containerStatus(
  pod: Pod,
  view: ContainerView,
  initial: string,
  context: StatusContext,
): ContainerStatus {
  const { spec, sort } = view
  const old = statusesOf(pod).find(each => each.name === spec.name)
  const [latest] = view.instances
  const { state, lastState } = statesOf(view, old, initial, context)
  const lostCount = view.lost && view.lost.restartCount + (pod.metadata?.deletionTimestamp || context.terminal ? 0 : 1)
  return {
    name: spec.name,
    state,
    lastState,
    ready: view.ready && !context.failure && sort !== 'ephemeral',
    restartCount: latest?.attempt ?? lostCount ?? old?.restartCount ?? 0,
    image: latest?.image || (spec.image ?? ''),
    imageID: latest?.imageId ?? '',
    ...(latest && latest.state !== 'created' ? { containerID: `${context.runtime}://${latest.id}` } : {}),
    ...(sort === 'ephemeral' ? {} : { started: view.started }),
    ...resourcesOf(view, old),
    ...mountsOf(spec, context),
    ...(latest?.user ? { user: { linux: userOf(latest.user) } } : {}),
  }
}
