import type { NodeCondition, Taint } from '../../api/generated/types/core-v1.ts'
import { Lease } from '../../api/kinds/coordination/lease.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { parseTime, rfc3339 } from '../../api/machinery/time.ts'
import type { View } from '../../control/controller.ts'
import { after, done, type Plan, type Requeue, type Write } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'
import { conditionOf } from '../conditions.ts'

/** Without a heartbeat for this long a node counts as unknown, ms. */
export const GRACE_MS = 40_000
/** The same for a node that has never said anything. */
const STARTUP_GRACE_MS = 60_000
const CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']
const NOT_READY = 'node.kubernetes.io/not-ready'
const UNREACHABLE = 'node.kubernetes.io/unreachable'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Conditions that, when they hold, keep new pods away. */
const PRESSURE: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
}
const OURS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE, ...Object.values(PRESSURE)])

/** Status of the Ready condition; undefined before the first one. */
export const readiness = (node: Node) => conditionOf(node.status?.conditions, 'Ready')?.status

/** Plans conditions, taints and what becomes of the node's pods. */
export function reconcile(node: Node, view: View, now: number): Plan {
  const due = silentAt(node, view, now)
  if (due <= now && CONDITIONS.some(type => conditionOf(node.status?.conditions, type)?.status !== 'Unknown')) {
    return goneSilent(node, now)
  }
  // A node that is known to be silent wakes us itself when it speaks again.
  const requeue: Requeue = due > now ? after(due - now) : done
  const taints = tainted(node, view, now)
  const writes: Write[] = []
  if (!equalJson(taints, node.spec?.taints ?? [])) {
    const next = { ...node, spec: { ...node.spec, taints } } as Node
    writes.push({ type: 'update', resource: Node, current: node, next })
  }
  if (readiness(node) !== 'True' && readiness(node) !== undefined) writes.push(...podsNotReady(node, view, now))
  return { writes, requeue }
}

/** A heartbeat: its time by the node's clock, and by ours. */
interface Beat {
  readonly theirs: number
  readonly ours: number
}

/** What was known of a node's heartbeats at the last look. */
interface Known {
  readonly lease: Beat
  readonly status: Beat
  /** When that look was, and when the node counted as silent from; by our clock. */
  readonly seen: number
  readonly due: number
}

/** A look that was to come and is later than this, ms, says that the clock was set on or that this program stood. */
const LATE_MS = 2_000

/**
 * When silence becomes too long, ms. What counts is when a heartbeat was noticed here: clocks of machines differ, jump,
 * and stand while this program does not run, so a node has its whole grace from the first time it is seen.
 */
function silentAt(node: Node, view: View, now: number): number {
  const id = `beat ${node.metadata?.uid}`
  const last = view.memory.get(id) as Known | undefined
  const ready = conditionOf(node.status?.conditions, 'Ready')
  const renewed = parseTime(view.of(Lease).get(`kube-node-lease/${node.metadata?.name}`)?.spec?.renewTime) ?? 0
  const reported = ready && ready.status !== 'Unknown' ? (parseTime(ready.lastHeartbeatTime) ?? 0) : 0
  // One that was never there before is as much later than the other as the node's clock says.
  const noticed = (beat: Beat | undefined, other: Beat | undefined, theirs: number): Beat =>
    beat && theirs === 0
      ? beat
      : {
          theirs,
          ours: noticedAt(
            [beat, other].find(each => each?.theirs),
            theirs,
            now,
          ),
        }
  // Each on its own: after a clock was set back, the later of the two says nothing for hours.
  const lease = noticed(last?.lease, last?.status, renewed)
  const status = noticed(last?.status, last?.lease, reported)
  const late = last !== undefined && last.due > last.seen && now > last.due + LATE_MS
  const ours = late ? now : Math.max(lease.ours, status.ours)
  const due = ours + (ready ? GRACE_MS : STARTUP_GRACE_MS)
  const known: Known = late
    ? { lease: { ...lease, ours }, status: { ...status, ours }, seen: now, due }
    : { lease, status, seen: now, due }
  view.memory.set(id, known)
  return due
}

/** By our clock: between looks, a node's own clock tells how much later a heartbeat was than the one before. */
function noticedAt(last: Beat | undefined, theirs: number, now: number): number {
  if (!last) return now
  if (theirs === last.theirs) return Math.min(last.ours, now)
  const guess = last.ours + theirs - last.theirs
  // Where that makes no sense a clock has jumped; the heartbeat is new all the same.
  return guess > last.ours && guess <= now && guess + GRACE_MS > now ? guess : now
}

function goneSilent(node: Node, now: number): Plan {
  const time = rfc3339(now)
  const conditions: NodeCondition[] = [...(node.status?.conditions ?? [])]
  for (const type of CONDITIONS) {
    const at = conditions.findIndex(each => each.type === type)
    const old = conditions[at]
    if (!old) {
      const message = 'Kubelet never posted node status.'
      conditions.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message,
        lastHeartbeatTime: node.metadata?.creationTimestamp ?? time,
        lastTransitionTime: time,
      })
    } else if (old.status !== 'Unknown') {
      const message = 'Kubelet stopped posting node status.'
      conditions[at] = { ...old, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: time }
    }
  }
  const notes =
    readiness(node) === 'True'
      ? [
          {
            target: node,
            type: 'Normal' as const,
            reason: 'NodeNotReady',
            message: `Node ${node.metadata?.name} status is now: NodeNotReady`,
          },
        ]
      : []
  return { status: { ...node, status: { ...node.status, conditions } } as Node, notes }
}

function tainted(node: Node, view: View, now: number): Taint[] {
  const wanted: Taint[] = (node.spec?.taints ?? []).filter(each => !OURS.has(each.key))
  const add = (key: string, effect: Taint['effect']) => {
    const known = node.spec?.taints?.find(each => each.key === key && each.effect === effect)
    wanted.push(known ?? { key, effect, timeAdded: rfc3339(now) })
  }
  const ready = readiness(node)
  if (ready !== undefined && ready !== 'True') {
    const key = ready === 'False' ? NOT_READY : UNREACHABLE
    add(key, 'NoSchedule')
    // When no node at all is well the trouble is more likely here than there: nothing is evicted.
    if (
      view
        .of(Node)
        .list()
        .some(each => readiness(each) === 'True')
    )
      add(key, 'NoExecute')
  }
  // A node registers with this taint and loses it when it is ready.
  if (ready === undefined) for (const each of node.spec?.taints ?? []) if (each.key === NOT_READY) wanted.push(each)
  for (const [type, key] of Object.entries(PRESSURE)) {
    if (conditionOf(node.status?.conditions, type)?.status === 'True') add(key, 'NoSchedule')
  }
  if (node.spec?.unschedulable) add(UNSCHEDULABLE, 'NoSchedule')
  const same =
    wanted.length === (node.spec?.taints ?? []).length && wanted.every(each => node.spec?.taints?.includes(each))
  return same ? (node.spec?.taints ?? []) : wanted
}

/** Pods of a node that is not well serve nobody. */
function podsNotReady(node: Node, view: View, now: number): Write[] {
  return view
    .of(Pod)
    .byIndex('node', node.metadata?.name ?? '')
    .filter(isReady)
    .map(pod => {
      const conditions = (pod.status?.conditions ?? []).map(each =>
        each.type === 'Ready' ? { ...each, status: 'False' as const, lastTransitionTime: rfc3339(now) } : each,
      )
      const next = { ...pod, status: { ...pod.status, conditions } } as Pod
      return {
        type: 'status',
        resource: Pod,
        current: pod,
        next,
        done: () => ({ target: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' }),
      } as Write
    })
}
