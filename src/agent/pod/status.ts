/** A pod's status out of what its runtime says: pure. Phases and states are the kubelet's. */
import type { Container, ContainerState, ContainerStatus, Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { podConditions } from './conditions.ts'
import { qosClassOf } from './container-config.ts'
import { isSidecar, shouldRestart } from './restart.ts'

/** One container of a pod as the agent sees it. */
export interface ContainerView {
  readonly spec: Container
  /** Instances that the runtime has, newest first. */
  readonly instances: readonly Instance[]
  /** Why it is not running though it should be. */
  readonly waiting?: { readonly reason: string; readonly message?: string } | undefined
  readonly started: boolean
  readonly ready: boolean
}

export interface PodView {
  readonly init: readonly ContainerView[]
  readonly main: readonly ContainerView[]
  readonly sandbox: boolean
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
  /** ms since the epoch. */
  readonly startTime: number
  /** Set where the pod as a whole failed: refused, or past its deadline. */
  readonly failure?: { readonly reason: string; readonly message: string } | undefined
  /** Nothing of it will be started again. */
  readonly terminal: boolean
  /** Prefix of container ids, e.g. `process`. */
  readonly runtime: string
}

const time = (ms: number) => rfc3339(ms)

/** What an instance's state is to clients. */
function stateOf(instance: Instance, runtime: string): ContainerState {
  if (instance.state === 'running') return { running: { startedAt: time(instance.startedAt) } }
  if (instance.state !== 'exited') return { waiting: {} }
  return {
    terminated: {
      exitCode: instance.exitCode ?? 0,
      ...(instance.reason ? { reason: instance.reason } : {}),
      ...(instance.message ? { message: instance.message } : {}),
      startedAt: time(instance.startedAt),
      finishedAt: time(instance.finishedAt),
      containerID: `${runtime}://${instance.id}`,
    },
  }
}

function containerStatus(pod: Pod, view: ContainerView, initial: string, podView: PodView): ContainerStatus {
  const { spec, instances } = view
  const old = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    each => each.name === spec.name,
  )
  const [latest, previous] = instances
  let state: ContainerState = latest ? stateOf(latest, podView.runtime) : { waiting: { reason: initial } }
  let lastState: ContainerState = previous ? stateOf(previous, podView.runtime) : latest ? {} : (old?.lastState ?? {})
  // What ended and was forgotten by the runtime is still known by its last status.
  if (!latest && old?.state?.terminated && podView.terminal) state = old.state
  else if (!latest && old?.state?.terminated) lastState = old.state
  if (!previous && latest && old?.lastState?.terminated && !sameEnd(old.lastState, state)) lastState = old.lastState
  if (view.waiting && !state.running) {
    if (state.terminated) lastState = state
    state = { waiting: view.waiting }
  }
  if (!latest && old?.state?.terminated && podView.terminal === false && !view.waiting)
    state = { waiting: { reason: initial } }
  const ready = view.ready && !podView.failure
  return {
    name: spec.name,
    state,
    lastState,
    ready,
    restartCount: latest?.attempt ?? old?.restartCount ?? 0,
    image: latest?.image || (spec.image ?? ''),
    imageID: latest?.imageId ?? '',
    ...(latest && latest.state !== 'created' ? { containerID: `${podView.runtime}://${latest.id}` } : {}),
    started: view.started,
    ...(spec.resources?.requests ? { allocatedResources: spec.resources.requests } : {}),
    resources: spec.resources ?? {},
    ...(spec.volumeMounts?.length
      ? {
          volumeMounts: spec.volumeMounts.map(({ name, mountPath, readOnly }) => ({
            name,
            mountPath,
            ...(readOnly ? { readOnly, recursiveReadOnly: 'Disabled' } : {}),
          })),
        }
      : {}),
  }
}

const sameEnd = (a: ContainerState, b: ContainerState) =>
  a.terminated?.containerID !== undefined && a.terminated.containerID === b.terminated?.containerID

const endOf = (status: ContainerStatus) => status.state?.terminated ?? status.lastState?.terminated

/** The phase by the states of all containers (API doc: PodPhase). */
export function phaseOf(
  pod: Pod,
  init: readonly ContainerStatus[],
  main: readonly ContainerStatus[],
  terminal: boolean,
): NonNullable<PodStatus['phase']> {
  const spec = pod.spec ?? { containers: [] }
  const counts = { pendingInit: 0, pendingSidecars: 0, running: 0, waiting: 0, stopped: 0, lasting: 0, succeeded: 0 }
  for (const container of spec.initContainers ?? []) {
    const status = init.find(each => each.name === container.name)
    const { state = {}, lastState = {} } = status ?? {}
    if (isSidecar(container)) {
      if (state.running) {
        counts.running++
        if (!status?.started) counts.pendingSidecars++
      } else if (!state.terminated && !lastState.terminated) {
        counts.pendingSidecars++
        counts.waiting++
      }
      continue
    }
    const end = state.terminated ?? (state.waiting ? lastState.terminated : undefined)
    if (!end) counts.pendingInit++
    else if (end.exitCode !== 0) {
      if (!shouldRestart(container, spec, end.exitCode, true)) return 'Failed'
      if (!terminal) counts.pendingInit++
    }
  }
  for (const status of main) {
    const container = spec.containers.find(each => each.name === status.name)
    const end = endOf(status)
    if (status.state?.running) counts.running++
    else if (status.state?.terminated || end) {
      counts.stopped++
      if (container && end && !shouldRestart(container, spec, end.exitCode)) counts.lasting++
      if (status.state?.terminated?.exitCode === 0) counts.succeeded++
    } else counts.waiting++
  }
  const begun = main.some(status => status.state?.running || endOf(status))
  if (terminal && counts.running === 0) {
    return counts.stopped > 0 && counts.succeeded === counts.stopped ? 'Succeeded' : 'Failed'
  }
  if (counts.pendingInit > 0 || (counts.pendingSidecars > 0 && !begun) || counts.waiting > 0) return 'Pending'
  if (counts.running > 0) return 'Running'
  if (counts.stopped === 0) return 'Pending'
  if (counts.lasting < counts.stopped) return 'Running'
  return counts.succeeded === counts.stopped ? 'Succeeded' : 'Failed'
}

/** The whole status. `pod` brings the one that was written last. `now` is in ms since the epoch. */
export function podStatus(pod: Pod, view: PodView, now: number): PodStatus {
  const initial = view.init.length > 0 ? 'PodInitializing' : 'ContainerCreating'
  const init = view.init.map(each => containerStatus(pod, each, initial, view))
  const main = view.main.map(each => containerStatus(pod, each, initial, view))
  const phase = view.failure ? 'Failed' : phaseOf(pod, init, main, view.terminal)
  const generation = pod.metadata?.generation
  const [hostIP] = view.hostIPs
  const [podIP] = view.podIPs
  return {
    ...(generation ? { observedGeneration: generation } : {}),
    phase,
    conditions: podConditions(pod, [...init, ...main], phase, view.sandbox, rfc3339(now)),
    ...(view.failure ? { reason: view.failure.reason, message: view.failure.message } : {}),
    ...(hostIP ? { hostIP, hostIPs: view.hostIPs.map(ip => ({ ip })) } : {}),
    ...(podIP ? { podIP, podIPs: view.podIPs.map(ip => ({ ip })) } : {}),
    startTime: rfc3339(view.startTime),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: main,
    qosClass: pod.status?.qosClass ?? qosClassOf(pod),
  }
}
