/** A pod's conditions (API doc: PodCondition), in the kubelet's reasons and messages. */
import type { ContainerStatus, Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import type { Refusal } from './deps.ts'

/** Conditions of the node's own that come and go; the others stay once they are there. */
export const PASSING: ReadonlySet<string> = new Set(['PodResizePending', 'PodResizeInProgress'])

type Draft = Pick<PodCondition, 'status' | 'reason' | 'message'>

const list = (names: readonly string[]) => `[${names.join(' ')}]`
const find = (statuses: readonly ContainerStatus[], name: string) => statuses.find(each => each.name === name)

/** Names grouped into one message; undefined when both are empty. */
function named(unknown: readonly string[], others: readonly string[], word: string): string | undefined {
  const parts: string[] = []
  if (unknown.length > 0) parts.push(`containers with unknown status: ${list(unknown)}`)
  if (others.length > 0) parts.push(`containers with ${word} status: ${list(others)}`)
  return parts.length > 0 ? parts.join(', ') : undefined
}

function containersReady(pod: Pod, statuses: readonly ContainerStatus[], phase: string): Draft {
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const counted = [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])]
  const unknown = counted.filter(each => !find(statuses, each.name)).map(each => each.name)
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' }
  const unready = counted.filter(each => find(statuses, each.name)?.ready === false).map(each => each.name)
  const message = named(unknown, unready, 'unready')
  return message ? { status: 'False', reason: 'ContainersNotReady', message } : { status: 'True' }
}

function ready(pod: Pod, base: Draft): Draft {
  if (base.status !== 'True') return base
  const messages: string[] = []
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = pod.status?.conditions?.find(each => each.type === conditionType)
    if (!gate)
      messages.push(`corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`)
    else if (gate.status !== 'True') {
      messages.push(
        `the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${gate.status}`,
      )
    }
  }
  return messages.length > 0
    ? { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
    : { status: 'True' }
}

function initialized(pod: Pod, statuses: readonly ContainerStatus[], phase: string): Draft {
  const init = pod.spec?.initContainers ?? []
  const unknown = init.filter(each => !find(statuses, each.name)).map(each => each.name)
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  const mains = pod.spec?.containers ?? []
  const begun = mains.some(each => {
    const status = find(statuses, each.name)
    return status && (status.state?.running || status.state?.terminated || status.lastState?.terminated)
  })
  if (begun) return { status: 'True' }
  const incomplete = init.filter(each => {
    const status = find(statuses, each.name)
    return status && (isSidecar(each) ? !status.started : !status.ready)
  })
  const message = named(
    unknown,
    incomplete.map(each => each.name),
    'incomplete',
  )
  return message ? { status: 'False', reason: 'ContainersNotInitialized', message } : { status: 'True' }
}

function restarting(phase: string, underWay: boolean): Draft {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  if (!underWay) return { status: 'False' }
  const message = 'container exited with restart policy rule'
  return { status: 'True', reason: 'RestartAllContainersStarted', message }
}

/** What not every pod has. */
interface Occasional {
  /** Conditions that come and go. */
  readonly passing?: readonly PodCondition[]
  /** All containers are being stopped to start anew; undefined where no rule of the pod wants that. */
  readonly restartsAll?: boolean | undefined
  /** The pod as a whole has failed. */
  readonly failure?: Refusal | undefined
}

/**
 * The conditions that the node writes, and none of others: what they say changes without it. `sandbox` is whether a
 * sandbox with network stands. Times are RFC 3339; a time of transition is kept while the status stays.
 */
export function podConditions(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  phase: string,
  sandbox: boolean,
  now: string,
  { passing = [], restartsAll, failure }: Occasional = {},
): PodCondition[] {
  const old = pod.status?.conditions ?? []
  const base = containersReady(pod, statuses, phase)
  const drafts: Record<string, Draft> = {
    PodReadyToStartContainers: { status: sandbox ? 'True' : 'False' },
    Initialized: initialized(pod, statuses, phase),
    Ready: ready(pod, base),
    ContainersReady: base,
    PodScheduled: { status: 'True' },
    ...(failure?.disruption
      ? {
          DisruptionTarget: {
            status: 'True',
            reason: failure.disruption,
            message: failure.disrupted ?? failure.message,
          },
        }
      : {}),
    ...(restartsAll === undefined ? {} : { AllContainersRestarting: restarting(phase, restartsAll) }),
  }
  const generation = pod.metadata?.generation
  const made = Object.entries(drafts).map(([type, draft]): PodCondition => {
    const before = old.find(each => each.type === type)
    return {
      type,
      ...(generation ? { observedGeneration: generation } : {}),
      status: draft.status,
      lastProbeTime: null as unknown as string,
      lastTransitionTime:
        before?.status === draft.status && before.lastTransitionTime ? before.lastTransitionTime : now,
      ...(draft.reason ? { reason: draft.reason } : {}),
      ...(draft.message ? { message: draft.message } : {}),
    }
  })
  return [...passing, ...made]
}
