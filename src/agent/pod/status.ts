/** A pod's status out of what its runtime says: pure. Phases and states are the kubelet's. */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import { qosClass } from '../../api/kinds/core/resources.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { podAmounts } from '../../api/quota/pod-resources.ts'
import { wholeResources } from './allocation.ts'
import { podConditions } from './conditions.ts'
import { type ContainerView, containerStatus } from './container-status.ts'
import type { Refusal } from './deps.ts'
import { shouldRestart } from './restart.ts'
import { REASON } from './restart-all.ts'

export interface PodView {
  readonly init: readonly ContainerView[]
  readonly main: readonly ContainerView[]
  readonly ephemeral: readonly ContainerView[]
  /** PodResizePending and PodResizeInProgress. */
  readonly resize: readonly PodCondition[]
  /** All containers are being stopped to start anew; undefined where no rule of the pod wants that. */
  readonly restartsAll: boolean | undefined
  /** The pod with the resources that it has been given. */
  readonly allocated: Pod
  readonly sandbox: boolean
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
  /** ms since the epoch. */
  readonly startTime: number
  /** Set where the pod as a whole fails: refused, past its deadline, or ended by its node. */
  readonly failure?: Refusal | undefined
  /** Nothing of it will be started again. */
  readonly terminal: boolean
  /** Prefix of container ids, e.g. `process`. */
  readonly runtime: string
  /** It can make mounts read-only with all that is mounted below them. */
  readonly recursiveReadOnly: boolean
}

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
      if (end.reason !== REASON && !shouldRestart(container, spec, end.exitCode, true)) return 'Failed'
      if (!terminal) counts.pendingInit++
    }
  }
  for (const status of main) {
    const container = spec.containers.find(each => each.name === status.name)
    const end = endOf(status)
    if (status.state?.running) counts.running++
    else if (status.state?.terminated || end) {
      counts.stopped++
      const lasts = container && end && end.reason !== REASON && !shouldRestart(container, spec, end.exitCode)
      if (lasts) counts.lasting++
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

/** What is said of the pod as a whole, whatever its containers do. */
function wholeStatus(
  pod: Pod,
  { startTime }: PodView,
  phase: NonNullable<PodStatus['phase']>,
  failure: Refusal | undefined,
): PodStatus {
  const generation = pod.metadata?.generation
  return {
    ...(generation ? { observedGeneration: generation } : {}),
    phase,
    ...(failure ? { reason: failure.reason, message: failure.message } : {}),
    startTime: rfc3339(startTime),
    qosClass: pod.status?.qosClass ?? qosClass(pod),
  }
}

/** The whole status. `pod` brings the one that was written last. `now` is in ms since the epoch. */
export function podStatus(pod: Pod, view: PodView, now: number): PodStatus {
  // Of a pod that was not taken nothing is said but that, so that clients show it.
  if (view.failure?.rejected) return wholeStatus(pod, view, 'Failed', view.failure)
  // It has failed when nothing of it runs any more: what takes its place may count on that.
  const failure = view.terminal ? view.failure : undefined
  const initial = view.init.length > 0 ? 'PodInitializing' : 'ContainerCreating'
  const of = (views: readonly ContainerView[]) => views.map(each => containerStatus(pod, each, initial, view))
  const init = of(view.init)
  const main = of(view.main).sort((a, b) => (a.name < b.name ? -1 : 1))
  const ephemeral = of(view.ephemeral).sort((a, b) => (a.name < b.name ? -1 : 1))
  const whole = wholeResources(view.allocated)
  const allocated = podAmounts(view.allocated, 'requests', { overhead: true })
  const phase = failure ? 'Failed' : phaseOf(pod, init, main, view.terminal)
  const [hostIP] = view.hostIPs
  const [podIP] = view.podIPs
  return {
    ...wholeStatus(pod, view, phase, failure),
    conditions: podConditions(pod, [...init, ...main], phase, view.sandbox, rfc3339(now), {
      passing: view.terminal ? [] : view.resize,
      restartsAll: view.restartsAll,
      failure,
    }),
    ...(hostIP ? { hostIP, hostIPs: view.hostIPs.map(ip => ({ ip })) } : {}),
    ...(podIP ? { podIP, podIPs: view.podIPs.map(ip => ({ ip })) } : {}),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: main,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    ...(Object.keys(allocated).length > 0 ? { allocatedResources: allocated } : {}),
    ...(whole.requests || whole.limits ? { resources: whole } : {}),
  }
}
