/** What a Deployment says of itself: numbers, conditions, and whether it still makes progress. */
import type { DeploymentCondition, DeploymentStatus } from '../../api/generated/types/apps-v1.ts'
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import { type ConditionState, conditionOf, omitEmpty } from '../conditions.ts'
import { availableOf, maxUnavailable, total, wanted } from './sizes.ts'

/** A progressDeadlineSeconds of this much means none. */
const NO_DEADLINE = 2 ** 31 - 1

const hasDeadline = ({ spec }: Deployment) =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE

/** Sets a condition; the time of update moves with what it says. */
function set(conditions: readonly DeploymentCondition[], state: ConditionState, now: number): DeploymentCondition[] {
  const old = conditionOf(conditions, state.type)
  if (old && old.status === state.status && old.reason === state.reason) return [...conditions]
  return put(conditions, state, now)
}

function put(conditions: readonly DeploymentCondition[], state: ConditionState, now: number): DeploymentCondition[] {
  const old = conditionOf(conditions, state.type)
  const time = rfc3339(now)
  const lastTransitionTime = (old?.status === state.status && old.lastTransitionTime) || time
  return [
    ...conditions.filter(each => each.type !== state.type),
    { ...state, lastUpdateTime: time, lastTransitionTime },
  ]
}

const without = (conditions: readonly DeploymentCondition[], type: string) =>
  conditions.filter(each => each.type !== type)

/** Numbers and availability. */
export function calculate(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  now: number,
): DeploymentStatus {
  const sum = (count: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((all, each) => all + (count(each) ?? 0), 0)
  const available = sum(availableOf)
  const isAvailable = available >= wanted(deployment) - maxUnavailable(deployment)
  const availability: ConditionState = isAvailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum(each => each.status?.replicas),
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(each => each.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(total(sets) - available, 0),
    terminatingReplicas: sum(each => each.status?.terminatingReplicas),
    ...(deployment.status?.collisionCount !== undefined && { collisionCount: deployment.status.collisionCount }),
    conditions: set(deployment.status?.conditions ?? [], availability, now),
  }
}

/** The status as it is stored: zeros are left out. */
export const compact = (status: DeploymentStatus) => omitEmpty(status, 'terminatingReplicas', 'collisionCount')

const count = (value: number | undefined) => value ?? 0

/** Every replica is of the current template and available, and nothing else runs. */
export const isComplete = (deployment: Deployment, status: DeploymentStatus) =>
  count(status.updatedReplicas) === wanted(deployment) &&
  count(status.replicas) === wanted(deployment) &&
  count(status.availableReplicas) === wanted(deployment) &&
  count(status.observedGeneration) >= (deployment.metadata?.generation ?? 0)

function isProgressing(old: DeploymentStatus, next: DeploymentStatus): boolean {
  const outdated = (status: DeploymentStatus) => count(status.replicas) - count(status.updatedReplicas)
  return (
    count(next.updatedReplicas) > count(old.updatedReplicas) ||
    outdated(next) < outdated(old) ||
    count(next.readyReplicas) > count(old.readyReplicas) ||
    count(next.availableReplicas) > count(old.availableReplicas)
  )
}

const progressing = (status: ConditionState['status'], reason: string, message: string): ConditionState => ({
  type: 'Progressing',
  status,
  reason,
  message,
})

/** `paused` and `resumed`, which stop and restart the deadline. */
export function pausedCondition(deployment: Deployment, status: DeploymentStatus, now: number): DeploymentStatus {
  const conditions = status.conditions ?? []
  const known = conditionOf(conditions, 'Progressing')
  if (!hasDeadline(deployment) || known?.reason === 'ProgressDeadlineExceeded') return status
  const isKnown = known?.reason === 'DeploymentPaused'
  if (deployment.spec?.paused === isKnown || (!deployment.spec?.paused && !isKnown)) return status
  const state = deployment.spec?.paused
    ? progressing('Unknown', 'DeploymentPaused', 'Deployment is paused')
    : progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  return { ...status, conditions: set(conditions, state, now) }
}

/** Adds what is known of the roll-out: Progressing with its reasons, and failures of the sets. */
export function rollOutStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  now: number,
): DeploymentStatus {
  const status = calculate(deployment, sets, fresh, now)
  const old = deployment.status ?? {}
  let conditions = status.conditions ?? []
  if (!hasDeadline(deployment)) conditions = without(conditions, 'Progressing')
  else conditions = progressOf(deployment, old, status, fresh, now)
  const failure = [fresh, ...sets]
    .map(each => conditionOf(each?.status?.conditions, 'ReplicaFailure'))
    .find(each => each !== undefined)
  conditions = failure
    ? set(
        conditions,
        { type: 'ReplicaFailure', status: 'True', reason: failure.reason ?? '', message: failure.message ?? '' },
        now,
      )
    : without(conditions, 'ReplicaFailure')
  return { ...status, conditions }
}

function progressOf(
  deployment: Deployment,
  old: DeploymentStatus,
  status: DeploymentStatus,
  fresh: ReplicaSet | undefined,
  now: number,
): DeploymentCondition[] {
  let conditions = status.conditions ?? []
  const what = fresh ? `ReplicaSet "${fresh.metadata?.name}"` : `Deployment "${deployment.metadata?.name}"`
  const success = `${what} has successfully progressed.`
  const before = conditionOf(conditions, 'Progressing')
  const wasDone = before?.reason === 'NewReplicaSetAvailable'
  // A scale-out of what is rolled out already is no roll-out.
  if (wasDone && before.message === success && status.replicas === status.updatedReplicas) return conditions
  if (isComplete(deployment, status)) {
    return set(conditions, progressing('True', 'NewReplicaSetAvailable', success), now)
  }
  if (fresh && (!before || (wasDone && before.message !== success))) {
    const isNew =
      !before || (parseTime(fresh.metadata?.creationTimestamp) ?? 0) >= (parseTime(before.lastUpdateTime) ?? 0)
    const state = isNew
      ? progressing('True', 'NewReplicaSetCreated', `Created new replica set "${fresh.metadata?.name}"`)
      : progressing('True', 'FoundNewReplicaSet', `Found new replica set "${fresh.metadata?.name}"`)
    conditions = put(conditions, state, now)
  }
  if (isProgressing(old, status)) {
    return put(conditions, progressing('True', 'ReplicaSetUpdated', `${what} is progressing.`), now)
  }
  const due = deadline(deployment, conditions)
  if (due !== undefined && due <= now) {
    return set(conditions, progressing('False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`), now)
  }
  return conditions
}

/** When the deadline passes, ms; undefined where none runs. */
export function deadline(deployment: Deployment, conditions: readonly DeploymentCondition[]): number | undefined {
  const condition = conditionOf(conditions, 'Progressing')
  if (!condition || !hasDeadline(deployment)) return undefined
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded') return undefined
  return (parseTime(condition.lastUpdateTime) ?? 0) + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000
}

/** The Deployment with a condition that says why no set could be made. */
export function createFailed(deployment: Deployment, message: string, now: number): Deployment {
  if (!hasDeadline(deployment)) return deployment
  const state = progressing('False', 'ReplicaSetCreateError', message)
  return {
    ...deployment,
    status: { ...deployment.status, conditions: set(deployment.status?.conditions ?? [], state, now) },
  }
}
