/** The pods of a DaemonSet, node by node: which are missing, and which are too many. */
import type { DaemonSet } from '../../api/kinds/apps/daemon-set.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import type { Node } from '../../api/kinds/core/node.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { scaledValue } from '../../api/machinery/int-or-string.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { View } from '../../control/controller.ts'
import type { Note } from '../../control/plan.ts'
import { availableIn, isTerminating } from '../pods.ts'
import { isUpdated, nodeOf, type Wish, wishFor } from './placement.ts'

/** What a pass knows of a set. */
export interface Scene {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** By the name of the node; those that are over and on their way out are left out. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>
  /** The hash of the present template. */
  readonly hash: string
  readonly now: number
  /** How often and when a failed pod was removed, by set and node; see `failedAgain`. */
  readonly memory: View['memory']
  wish(node: Node): Wish
}

/** What is to be done on nodes. */
export interface Changes {
  /** Names of nodes that get a pod. */
  readonly start: string[]
  readonly remove: Pod[]
  readonly notes: Note[]
  /** ms after which a failed pod may be removed. */
  wait: number | undefined
}

export const noChanges = (): Changes => ({ start: [], remove: [], notes: [], wait: undefined })

/** Oldest first. */
const byAge = (a: Pod, b: Pod) =>
  (a.spec?.nodeName ? 0 : 1) - (b.spec?.nodeName ? 0 : 1) ||
  (parseTime(a.metadata?.creationTimestamp) ?? 0) - (parseTime(b.metadata?.creationTimestamp) ?? 0) ||
  (a.metadata?.name ?? '').localeCompare(b.metadata?.name ?? '')

export const isAvailable = ({ set, now }: Scene, pod: Pod): boolean =>
  availableIn(pod, set.spec?.minReadySeconds ?? 0, now) === 0

/** Puts the pods of a set in order; wishes are asked once a node. */
export function sceneOf(
  set: DaemonSet,
  nodes: readonly Node[],
  children: readonly Pod[],
  hash: string,
  now: number,
  memory: View['memory'],
): Scene {
  const pods = new Map<string, Pod[]>()
  for (const pod of children) {
    const node = isFinished(pod) && isTerminating(pod) ? undefined : nodeOf(pod)
    if (node === undefined) continue
    const others = pods.get(node)
    if (others) others.push(pod)
    else pods.set(node, [pod])
  }
  for (const list of pods.values()) list.sort(byAge)
  const wishes = new Map<Node, Wish>()
  return {
    set,
    nodes,
    pods,
    hash,
    now,
    memory,
    wish(node) {
      const known = wishes.get(node) ?? wishFor(set, node)
      wishes.set(node, known)
      return known
    },
  }
}

/** First and longest wait before a failed pod of a node is replaced again, ms. */
const BACK_OFF_MS = 1000
const BACK_OFF_MAX_MS = 900_000

interface Failures {
  readonly wait: number
  readonly at: number
}

/** ms that are left before the failed pod of a node may be replaced; 0 takes note that it is replaced now. */
function failedAgain({ set, now, memory }: Scene, node: string): number {
  const key = `failed ${set.metadata?.uid} ${node}`
  const before = memory.get(key) as Failures | undefined
  if (before && now < before.at + before.wait) return before.at + before.wait - now
  // What went well for long begins anew.
  const wait =
    before && now < before.at + 2 * BACK_OFF_MAX_MS ? Math.min(before.wait * 2, BACK_OFF_MAX_MS) : BACK_OFF_MS
  memory.set(key, { wait, at: now } satisfies Failures)
  return 0
}

/** Every node has the pods that it should have, whatever template they are of. */
export function manage(scene: Scene): Changes {
  const changes = noChanges()
  for (const node of scene.nodes) manageNode(scene, node, changes)
  const known = new Set(scene.nodes.map(node => node.metadata?.name))
  for (const [node, pods] of scene.pods) {
    // Nobody else will remove a pod that waits for a node that is gone.
    if (!known.has(node)) changes.remove.push(...pods.filter(pod => !pod.spec?.nodeName && !isTerminating(pod)))
  }
  return changes
}

function manageNode(scene: Scene, node: Node, changes: Changes) {
  const name = node.metadata?.name ?? ''
  const { start, stay } = scene.wish(node)
  const pods = scene.pods.get(name) ?? []
  if (pods.length === 0) {
    if (start) changes.start.push(name)
    return
  }
  if (!stay) {
    changes.remove.push(...pods.filter(pod => !isTerminating(pod)))
    return
  }
  const running = pods.filter(pod => !isTerminating(pod) && !replaceEnded(scene, name, pod, changes))
  if (!allowsSurge(scene.set)) changes.remove.push(...running.slice(1))
  else if (running.length === 0 && start) changes.start.push(name)
  else if (running.length > 1) changes.remove.push(...excessOf(scene, running))
}

/** Whether the pod is over: then it is removed, at once or after a while, and does not count. */
function replaceEnded(scene: Scene, node: string, pod: Pod, changes: Changes): boolean {
  if (!isFinished(pod)) return false
  const failed = pod.status?.phase === 'Failed'
  const wait = failed ? failedAgain(scene, node) : 0
  if (wait > 0) {
    changes.wait = Math.min(changes.wait ?? wait, wait)
    return true
  }
  const which = `daemon pod ${pod.metadata?.namespace}/${pod.metadata?.name} on node ${node}`
  changes.notes.push({
    target: scene.set,
    type: failed ? 'Warning' : 'Normal',
    reason: failed ? 'FailedDaemonPod' : 'SucceededDaemonPod',
    message: failed ? `Found failed ${which}, will try to kill it` : `Found succeeded ${which}, will try to delete it`,
  })
  changes.remove.push(pod)
  return true
}

/** While surging, one old and one new pod may stand side by side until the new one can take over. */
function excessOf(scene: Scene, running: readonly Pod[]): Pod[] {
  const isNew = (pod: Pod) => isUpdated(scene.set, pod, scene.hash)
  const fresh = running.find(isNew)
  const old = running.find(pod => !isNew(pod))
  const excess = running.filter(pod => pod !== fresh && pod !== old)
  if (fresh && old && (!isReady(old) || isAvailable(scene, fresh))) excess.push(old)
  return excess
}

const rolling = (set: DaemonSet) =>
  set.spec?.updateStrategy?.type === 'RollingUpdate' ? set.spec.updateStrategy.rollingUpdate : undefined

export const surgeOf = (set: DaemonSet, nodes: number): number => scaledValue(rolling(set)?.maxSurge ?? 0, nodes, true)
export const unavailableOf = (set: DaemonSet, nodes: number): number =>
  scaledValue(rolling(set)?.maxUnavailable ?? 0, nodes, true)

/** More than one pod may stand on a node during an update. */
export const allowsSurge = (set: DaemonSet): boolean => surgeOf(set, 1) > 0
