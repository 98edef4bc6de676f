/**
 * Plans the members of a StatefulSet (API doc: apps/v1 StatefulSet; KEP-961 for maxUnavailable). Members of the present
 * range come first, then those outside of it, then the update; in an ordered set each waits for the one before.
 */
import type { PersistentVolumeClaim as Claim } from '../../api/generated/types/core-v1.ts'
import type { ControllerRevision } from '../../api/kinds/apps/controller-revision.ts'
import { StatefulSet } from '../../api/kinds/apps/stateful-set.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { scaledValue } from '../../api/machinery/int-or-string.ts'
import { selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import { objectKey } from '../../client/informer-types.ts'
import type { Resource } from '../../client/resource.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Note, type Plan, type Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { claim } from '../owner.ts'
import { isTerminating } from '../pods.ts'
import { type History, historyOf, surplus, templateOf } from '../revisions.ts'
import {
  claimName,
  claimsOf,
  identityOf,
  isAvailable,
  isHealthy,
  isUnavailable,
  isWanted,
  newMember,
  nextAvailable,
  ordinalOf,
  replicasOf,
  revisionNameOf,
  startOf,
  withIdentity,
} from './members.ts'
import { isLeftover, withOwners } from './retention.ts'
import { withStatus } from './status.ts'

export const HASH_LABEL = 'controller.kubernetes.io/hash'

/** What a pass knows. */
interface Pass {
  readonly set: StatefulSet
  readonly view: View
  readonly now: number
  /** One waits for the other. */
  readonly ordered: boolean
  /** Members of the present range that exist, by ordinal. */
  readonly members: ReadonlyMap<number, Pod>
  /** Members outside of the range, highest ordinal first. */
  readonly condemned: readonly Pod[]
  readonly currentRevision: ControllerRevision
  readonly updateRevision: ControllerRevision
}

/** Plans the next step of a StatefulSet. */
export function reconcile(set: StatefulSet, view: View, now: number): Plan {
  const selector = selectorFromLabelSelector(set.spec?.selector)
  const pods = view.of(Pod)
  const { children, writes } = claim({
    owner: set,
    ownerResource: StatefulSet,
    resource: Pod,
    owned: pods.byIndex('owner', set.metadata?.uid ?? ''),
    orphans: pods.byIndex('uncontrolled', set.metadata?.namespace ?? ''),
    matches: pod =>
      identityOf(pod.metadata?.name)?.set === set.metadata?.name && selector.matches(pod.metadata?.labels),
  })
  if (writes.length > 0) return { writes }
  const history = historyOf(set, StatefulSet, view, HASH_LABEL)
  // A set that goes has its revisions taken away from under it.
  if (set.metadata?.deletionTimestamp) return goingAway(set, history, children, now)
  if (!history.current) return { writes: history.writes }
  const pass = passOf(set, view, now, children, history.current, history)
  const status = withStatus(set, children, pass.currentRevision, pass.updateRevision, now)
  const planned = step(pass)
  const wait = nextAvailable(set, children, now)
  return {
    writes: planned.length > 0 ? planned : tidy(set, history, children, pass),
    status,
    // What could not be made keeps no status from being told.
    otherwise: () => ({ status }),
    requeue: wait === undefined ? done : after(wait),
  }
}

function goingAway(set: StatefulSet, { revisions, current }: History, pods: readonly Pod[], now: number): Plan {
  const update = current ?? revisions.at(-1)
  if (!update) return {}
  const found = revisions.find(each => each.metadata?.name === set.status?.currentRevision)
  return { status: withStatus(set, pods, found ?? update, update, now) }
}

function passOf(
  set: StatefulSet,
  view: View,
  now: number,
  pods: readonly Pod[],
  updateRevision: ControllerRevision,
  { revisions }: History,
): Pass {
  const known = revisions.find(each => each.metadata?.name === set.status?.currentRevision)
  const outside = pods.filter(pod => ordinalOf(pod) >= 0 && !isWanted(set, ordinalOf(pod)))
  return {
    set,
    view,
    now,
    ordered: set.spec?.podManagementPolicy !== 'Parallel',
    members: new Map(pods.filter(pod => isWanted(set, ordinalOf(pod))).map(pod => [ordinalOf(pod), pod])),
    condemned: [...outside].sort((a, b) => ordinalOf(b) - ordinalOf(a)),
    currentRevision: known ?? updateRevision,
    updateRevision,
  }
}

const tidy = (set: StatefulSet, { revisions }: History, pods: readonly Pod[], pass: Pass): Write[] => {
  const live = new Set([pass.currentRevision, pass.updateRevision].map(each => each.metadata?.name))
  for (const pod of pods) live.add(revisionNameOf(pod))
  return surplus(set, revisions, each => live.has(each.metadata?.name))
}

/** The writes of this pass; none when all is as it should be, or something has to be waited for. */
function step(pass: Pass): Write[] {
  const { writes, blocked } = raise(pass)
  if (writes.length > 0) return claimsFirst(writes)
  if (blocked) return []
  const owned = pass.condemned.flatMap(pod => owners(pass, pod))
  if (owned.length > 0) return owned
  const lowered = lower(pass)
  if (lowered.writes.length > 0 || lowered.blocked) return [...lowered.writes]
  return pass.set.spec?.updateStrategy?.type === 'OnDelete' ? [] : roll(pass)
}

/** A pod is made when its claims are there: creates that stand together are sent together. */
function claimsFirst(writes: readonly Write[]): Write[] {
  const claims = writes.filter(each => each.type === 'create' && each.resource.key === PersistentVolumeClaim.key)
  return claims.length > 0 ? claims : [...writes]
}

interface Step {
  readonly writes: readonly Write[]
  /** In an ordered set: nothing may be done behind this. */
  readonly blocked: boolean
}

/** Brings the members of the range into being, each with its claims. */
function raise(pass: Pass): Step {
  const { set, ordered } = pass
  const writes: Write[] = []
  for (let ordinal = startOf(set); ordinal < startOf(set) + replicasOf(set); ordinal++) {
    const one = member(pass, ordinal)
    writes.push(...one.writes)
    if (ordered && (one.blocked || one.writes.length > 0)) return { writes, blocked: true }
  }
  return { writes, blocked: false }
}

function member(pass: Pass, ordinal: number): Step {
  const { set, members, now } = pass
  const pod = members.get(ordinal)
  if (!pod) return missing(pass, ordinal)
  if (isFinished(pod)) return { writes: isTerminating(pod) ? [] : [remove(set, pod)], blocked: true }
  const claims = pod.status?.phase === 'Pending' && !isTerminating(pod) ? missingClaims(pass, ordinal, pod) : []
  if (claims.length > 0) return { writes: claims, blocked: true }
  if (isTerminating(pod) || !isHealthy(pod) || !isAvailable(set, pod, now)) {
    // In a parallel set identity is kept all the same.
    return { writes: pass.ordered ? [] : keepIdentity(pass, pod), blocked: true }
  }
  return { writes: keepIdentity(pass, pod), blocked: false }
}

/** What a member is made from: below the partition the current revision, else the one that is rolled out. */
function missing(pass: Pass, ordinal: number): Step {
  const { set, currentRevision, updateRevision, view } = pass
  const rolling = set.spec?.updateStrategy?.rollingUpdate
  const below = startOf(set) + (rolling ? (rolling.partition ?? 0) : (set.status?.currentReplicas ?? 0))
  const isRolling = set.spec?.updateStrategy?.type === 'RollingUpdate'
  const revision = (isRolling || rolling) && ordinal < below ? currentRevision : updateRevision
  const template = templateOf(revision)
  const pod = newMember({ ...set, spec: { ...set.spec!, template } }, revision.metadata?.name ?? '', ordinal)
  const claims = claimsOf(set, ordinal)
  const found = [...claims.values()].map(each =>
    view.of<Claim>(PersistentVolumeClaim).get(objectKey(each.metadata?.namespace, each.metadata?.name ?? '')),
  )
  if (found.some(each => each && (isLeftover(each, set, pod) || each.metadata?.deletionTimestamp))) {
    return { writes: [], blocked: true }
  }
  return { writes: [...missingClaims(pass, ordinal, pod), create(set, pod)], blocked: true }
}

function missingClaims({ set, view }: Pass, ordinal: number, pod: Pod): Write[] {
  const all = view.of<Claim>(PersistentVolumeClaim)
  return [...claimsOf(set, ordinal).values()]
    .filter(each => !all.get(objectKey(each.metadata?.namespace, each.metadata?.name ?? '')))
    .map(object => ({
      type: 'create' as const,
      resource: PersistentVolumeClaim as Resource,
      object,
      done: () =>
        note(
          set,
          'create',
          `Create Claim ${object.metadata?.name} Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name} success`,
        ),
      failed: (error: Error) =>
        failure(
          set,
          'create',
          `Create Claim ${object.metadata?.name} for Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name} failed error: ${error.message}`,
        ),
    }))
}

/** Brings the claims of a pod under the owners that the retention policy wants. */
function owners({ set, view }: Pass, pod: Pod): Write[] {
  const all = view.of<Claim>(PersistentVolumeClaim)
  return (set.spec?.volumeClaimTemplates ?? []).flatMap(template => {
    const found = all.get(objectKey(set.metadata?.namespace, claimName(set, template as Claim, ordinalOf(pod))))
    const next = found && withOwners(found, set, pod)
    if (!found || !next || next === found) return []
    return [{ type: 'update' as const, resource: PersistentVolumeClaim as Resource, current: found, next }]
  })
}

function keepIdentity(pass: Pass, pod: Pod): Write[] {
  const next = withIdentity(pass.set, pod)
  if (next === pod || equalJson(next, pod)) return owners(pass, pod)
  const told = messages(pass.set, pod, 'update')
  return [...owners(pass, pod), { type: 'update', resource: Pod, current: pod, next, ...told }]
}

/** Takes the members away that are outside of the range. */
function lower({ set, condemned, members, ordered, now }: Pass): Step {
  const writes: Write[] = []
  const ascending = [...[...members].sort(([a], [b]) => a - b).map(([, pod]) => pod), ...[...condemned].reverse()]
  const firstUnavailable = ascending.find(pod => isUnavailable(set, pod, now))
  for (const pod of condemned) {
    const waits = !isHealthy(pod) || !isAvailable(set, pod, now)
    if (ordered && (isTerminating(pod) || (waits && pod !== firstUnavailable))) return { writes, blocked: true }
    if (isTerminating(pod)) continue
    writes.push(remove(set, pod))
    if (ordered) return { writes, blocked: true }
  }
  return { writes, blocked: false }
}

/** Replaces members of another revision from the highest ordinal down to the partition. */
function roll({ set, members, updateRevision, now }: Pass): Write[] {
  const rolling = set.spec?.updateStrategy?.rollingUpdate
  const all = [...members].sort(([a], [b]) => b - a).map(([, pod]) => pod)
  const limit = rolling?.maxUnavailable
  const lowest = startOf(set) + (rolling?.partition ?? 0)
  const isOld = (pod: Pod) => revisionNameOf(pod) !== updateRevision.metadata?.name && !isTerminating(pod)
  const targets = all.filter(pod => ordinalOf(pod) >= lowest)
  if (limit === undefined) {
    const target = targets.find(pod => isOld(pod) || isUnavailable(set, pod, now))
    return target && isOld(target) ? [remove(set, target)] : []
  }
  const most = Math.max(1, scaledValue(limit, replicasOf(set), false))
  const unavailable = all.filter(pod => isUnavailable(set, pod, now)).length
  return targets
    .filter(isOld)
    .slice(0, Math.max(0, most - unavailable))
    .map(pod => remove(set, pod))
}

const TITLES = { create: 'Create', update: 'Update', delete: 'Delete' } as const
type Verb = keyof typeof TITLES

const note = (set: StatefulSet, verb: Verb, message: string): Note => ({
  target: set,
  type: 'Normal',
  reason: `Successful${TITLES[verb]}`,
  message,
})
const failure = (set: StatefulSet, verb: Verb, message: string): Note => ({
  target: set,
  type: 'Warning',
  reason: `Failed${TITLES[verb]}`,
  message,
})

function messages(set: StatefulSet, pod: Pod, verb: Verb) {
  const what = `${TITLES[verb]} Pod ${pod.metadata?.name} in StatefulSet ${set.metadata?.name}`
  return {
    done: () => note(set, verb, `${what} successful`),
    failed: (error: Error) => failure(set, verb, `${what} failed error: ${error.message}`),
  }
}

const create = (set: StatefulSet, object: Pod): Write => ({
  type: 'create',
  resource: Pod,
  object,
  ...messages(set, object, 'create'),
})

const remove = (set: StatefulSet, object: Pod): Write => ({
  type: 'delete',
  resource: Pod,
  object,
  ...messages(set, object, 'delete'),
})
