import { Deployment } from '../../api/kinds/apps/deployment.ts'
import { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { objectKey } from '../../client/informer-types.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Plan, type Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { claim, controllerReference } from '../owner.ts'
import { newSetAnnotations, REVISION, revisionOf } from './annotations.ts'
import {
  availableOf,
  DESIRED,
  isActiveSet,
  isRolling,
  newSetSize,
  type Resize,
  scaleAll,
  shrinkOld,
  sizeAnnotations,
  sizeIn,
  sizeOf,
  wanted,
} from './sizes.ts'
import { calculate, compact, createFailed, deadline, isComplete, pausedCondition, rollOutStatus } from './status.ts'
import { byCreation, findNew, HASH_LABEL, templateHash } from './template.ts'

/** The sets of a Deployment: the one of the current template, where it exists, and the others. */
interface Sets {
  readonly all: readonly ReplicaSet[]
  readonly fresh: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

/** Plans the next step of a Deployment. Every step that changes a set is looked at again before the next. */
export function reconcile(deployment: Deployment, view: View, now: number): Plan {
  const selector = selectorFromLabelSelector(deployment.spec?.selector)
  if (selector.empty) return selectsEverything(deployment)
  const sets = view.of(ReplicaSet)
  const { children, writes } = claim({
    owner: deployment,
    ownerResource: Deployment,
    resource: ReplicaSet,
    owned: sets.byIndex('owner', deployment.metadata?.uid ?? ''),
    orphans: sets.byIndex('uncontrolled', deployment.metadata?.namespace ?? ''),
    matches: set => selector.matches(set.metadata?.labels),
  })
  if (writes.length > 0) return { writes }
  const fresh = findNew(deployment, children)
  const family: Sets = { all: children, fresh, old: children.filter(each => each !== fresh) }
  if (deployment.metadata?.deletionTimestamp) return { status: plainStatus(deployment, family, now) }
  const synced = syncRevision(deployment, family)
  if (synced.length > 0) return { writes: synced }
  if (deployment.spec?.paused || isScaling(deployment, children)) return resize(deployment, family, now)
  return isRolling(deployment) ? roll(deployment, family, view, now) : recreate(deployment, family, view, now)
}

function selectsEverything(deployment: Deployment): Plan {
  const message = 'This deployment is selecting all pods. A non-empty selector is required.'
  const generation = deployment.metadata?.generation ?? 0
  if (deployment.status?.observedGeneration === generation) return {}
  return {
    status: { ...deployment, status: { ...deployment.status, observedGeneration: generation } } as KubeObject,
    notes: [{ target: deployment, type: 'Warning', reason: 'SelectingAll', message }],
  }
}

/** The wanted number is not the one that the sets were last scaled for. */
const isScaling = (deployment: Deployment, sets: readonly ReplicaSet[]) =>
  sets.filter(isActiveSet).some(set => {
    const desired = sizeIn(set, DESIRED)
    return desired !== undefined && desired !== wanted(deployment)
  })

const latestRevision = (sets: readonly ReplicaSet[]) => Math.max(0, ...sets.map(revisionOf))

/** Keeps annotations of the set in step with the Deployment, and the Deployment's revision with the set. */
function syncRevision(deployment: Deployment, { fresh, old }: Sets): Write[] {
  if (!fresh) return []
  const annotations = newSetAnnotations(deployment, fresh, latestRevision(old) + 1)
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0
  const isInStep = equalJson(annotations, fresh.metadata?.annotations ?? {})
  if (!isInStep || (fresh.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
    const next = {
      ...fresh,
      metadata: { ...fresh.metadata, annotations },
      spec: { ...fresh.spec, minReadySeconds },
    }
    return [{ type: 'update', resource: ReplicaSet, current: fresh, next }]
  }
  return setRevision(deployment, fresh.metadata?.annotations?.[REVISION])
}

function setRevision(deployment: Deployment, revision: string | undefined): Write[] {
  if (!revision || deployment.metadata?.annotations?.[REVISION] === revision) return []
  const patch = { metadata: { annotations: { [REVISION]: revision } } }
  // Through the status, as upstream does: it does not count as a new generation.
  return [{ type: 'patch', resource: Deployment, object: deployment, patch, subresource: 'status' }]
}

/** Paused, or scaled by the user: sizes follow, the roll-out does not move. */
function resize(deployment: Deployment, family: Sets, now: number): Plan {
  const sizes = scaleAll(deployment, family.fresh, family.old)
  const stale = sizes.length > 0 ? sizes : family.all.filter(isActiveSet).map(set => ({ set, size: sizeOf(set) }))
  const writes = stale.flatMap(each => scale(deployment, each))
  if (writes.length > 0) return { writes }
  return {
    writes: deployment.spec?.paused ? cleanUp(deployment, family.old) : [],
    status: plainStatus(deployment, family, now),
  }
}

function plainStatus(deployment: Deployment, { all, fresh }: Sets, now: number): Deployment {
  return { ...deployment, status: compact(pausedCondition(deployment, calculate(deployment, all, fresh, now), now)) }
}

function scale(deployment: Deployment, { set, size }: Resize): Write[] {
  const annotations = { ...set.metadata?.annotations, ...sizeAnnotations(deployment) }
  const before = sizeOf(set)
  if (before === size && equalJson(annotations, set.metadata?.annotations)) return []
  const next = {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas: size },
  } as ReplicaSet
  const direction = size > before ? 'up' : 'down'
  const note = {
    target: deployment,
    type: 'Normal' as const,
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${set.metadata?.name} from ${before} to ${size}`,
  }
  return [{ type: 'update', resource: ReplicaSet, current: set, next, ...(size !== before && { done: () => note }) }]
}

function roll(deployment: Deployment, family: Sets, view: View, now: number): Plan {
  const { fresh, old, all } = family
  if (!fresh) return create(deployment, family, view, now)
  const size = sizeOf(fresh) > wanted(deployment) ? wanted(deployment) : newSetSize(deployment, all, sizeOf(fresh))
  if (size !== sizeOf(fresh)) return { writes: scale(deployment, { set: fresh, size }) }
  const shrunk = shrinkOld(deployment, fresh, old)
  if (shrunk.length > 0) return { writes: shrunk.flatMap(each => scale(deployment, each)) }
  return finish(deployment, family, now)
}

function recreate(deployment: Deployment, family: Sets, view: View, now: number): Plan {
  const { fresh, old } = family
  const running = old.filter(isActiveSet)
  if (running.length > 0) return { writes: running.flatMap(set => scale(deployment, { set, size: 0 })) }
  const isLeft = old.some(set =>
    view
      .of(Pod)
      .byIndex('owner', set.metadata?.uid ?? '')
      .some(pod => !isFinished(pod)),
  )
  if (isLeft) return finish(deployment, family, now)
  if (!fresh) return create(deployment, family, view, now)
  if (sizeOf(fresh) !== wanted(deployment)) {
    return { writes: scale(deployment, { set: fresh, size: wanted(deployment) }) }
  }
  return finish(deployment, family, now)
}

/** Nothing to resize: old sets beyond the history go once the roll-out is complete; the status says where it stands. */
function finish(deployment: Deployment, family: Sets, now: number): Plan {
  const base = pausedCondition(deployment, deployment.status ?? {}, now)
  const status = rollOutStatus({ ...deployment, status: base }, family.all, family.fresh, now)
  const due = deadline(deployment, status.conditions ?? [])
  const complete = isComplete(deployment, status)
  return {
    writes: complete ? cleanUp(deployment, family.old) : [],
    status: { ...deployment, status: compact(status) } as KubeObject,
    requeue: due === undefined || complete ? done : after(due - now),
  }
}

function create(deployment: Deployment, family: Sets, view: View, now: number): Plan {
  const { metadata, spec, status } = deployment
  const template = spec?.template ?? {}
  const hash = templateHash(template, status?.collisionCount)
  const name = `${metadata?.name}-${hash}`
  if (view.of(ReplicaSet).get(objectKey(metadata?.namespace, name))) {
    return { status: collided(deployment) }
  }
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash }
  const replicas = newSetSize(deployment, family.old, 0)
  const revision = latestRevision(family.old) + 1
  const set: ReplicaSet = {
    apiVersion: ReplicaSet.apiVersion,
    kind: ReplicaSet.kind,
    metadata: {
      name,
      ...(metadata?.namespace && { namespace: metadata.namespace }),
      labels,
      annotations: newSetAnnotations(deployment, undefined, revision),
      ownerReferences: [controllerReference(Deployment, deployment)],
    },
    spec: {
      replicas,
      ...(spec?.minReadySeconds && { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec?.selector, matchLabels: { ...spec?.selector?.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
  const message = (error: Error) => `Failed to create new replica set "${name}": ${error.message}`
  const scaled = {
    target: deployment,
    type: 'Normal' as const,
    reason: 'ScalingReplicaSet',
    message: `Scaled up replica set ${name} from 0 to ${replicas}`,
  }
  return {
    writes: [
      {
        type: 'create',
        resource: ReplicaSet,
        object: set,
        ...(replicas > 0 && { done: () => scaled }),
        failed: error => ({
          target: deployment,
          type: 'Warning',
          reason: 'ReplicaSetCreateError',
          message: message(error),
        }),
      },
      ...setRevision(deployment, String(revision)),
    ],
    otherwise: error => ({ status: createFailed(deployment, message(error), now) }),
  }
}

/** The next name is made with another count. */
const collided = (deployment: Deployment): Deployment => ({
  ...deployment,
  status: { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 },
})

/** Old sets beyond revisionHistoryLimit, of the lowest revisions, that have no pods left. */
function cleanUp(deployment: Deployment, old: readonly ReplicaSet[]): Write[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10
  const candidates = old.filter(set => !set.metadata?.deletionTimestamp)
  const excess = candidates.length - limit
  if (excess <= 0) return []
  return [...candidates]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, excess)
    .filter(
      set =>
        (set.status?.replicas ?? 0) === 0 &&
        sizeOf(set) === 0 &&
        availableOf(set) === 0 &&
        (set.metadata?.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
    .map(set => ({ type: 'delete', resource: ReplicaSet, object: set }))
}
