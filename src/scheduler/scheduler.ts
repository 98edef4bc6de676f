/**
 * Gives pods their nodes. It follows pods, nodes and runtime classes by informers, decides in memory, and posts
 * bindings, many at a time; what it decided counts from the moment of the decision (an assumed pod), not from the
 * moment at which the informer shows it.
 */
import { Namespace } from '../api/kinds/core/namespace.ts'
import { Node } from '../api/kinds/core/node.ts'
import { Pod } from '../api/kinds/core/pod.ts'
import { RuntimeClass } from '../api/kinds/node/runtime-class.ts'
import { PodDisruptionBudget } from '../api/kinds/policy/pod-disruption-budget.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import { type Client, hasReason } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import type { ChangeHandler } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { createCycle, type NodeVerdict, type Refusal } from './cycle.ts'
import { createNominations } from './nominations.ts'
import type { ClusterEvent, Plugin, View } from './plugin.ts'
import { plugins as defaultPlugins } from './plugins/all.ts'
import { heldTerms } from './plugins/inter-pod-affinity.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import { findRoom, type Room } from './preemption.ts'
import { createQueue } from './queue.ts'
import { createSnapshot } from './snapshot.ts'
import { createSpread } from './spread.ts'
import { followStorage } from './storage.ts'

export interface SchedulerDeps {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
  /** Default: all of `plugins/all.ts`. */
  readonly plugins?: readonly Plugin[]
  /** Pods with this `spec.schedulerName` are its own. Default `default-scheduler`. */
  readonly name?: string
}

export interface Scheduler {
  readonly name: 'scheduler'
  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
  /** What every node says to a pod at this moment; undefined while it does not run. */
  explain(pod: Pod): readonly NodeVerdict[] | undefined
}

/** Bindings under way at one time. */
const BINDINGS = 256
/** After a preemption that failed, ms. */
const EVICTION_RETRY_MS = 1000
/** Decisions before others get their turn, ms. */
const TURN_MS = 5

const isFinished = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Makes a scheduler; nothing happens before `run`. */
export function createScheduler(deps: SchedulerDeps): Scheduler {
  let running: { explain(pod: Pod): readonly NodeVerdict[] } | undefined
  return {
    name: 'scheduler',
    async run(signal) {
      const scope = startScheduling(deps, signal)
      running = scope
      await new Promise<void>(resolve => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      running = undefined
      await scope.ended()
    },
    explain: pod => running?.explain(pod),
  }
}

function startScheduling(deps: SchedulerDeps, signal: AbortSignal) {
  const { client, informers, clock, name = 'default-scheduler', plugins = defaultPlugins } = deps
  const logger = deps.logger.child({ component: 'scheduler' })
  const recorder = createEventRecorder(client.transport, { component: name }, { clock, logger }, signal)
  const pods = informers.of(Pod)
  const nodes = informers.of(Node)
  const classes = informers.of(RuntimeClass)
  const namespaces = informers.of(Namespace)
  const budgets = informers.of<PodDisruptionBudget>(PodDisruptionBudget)

  const storage = followStorage(informers)

  const snapshot = createSnapshot()
  const namespaceLabels = (namespace: string) => namespaces.get(namespace)?.metadata?.labels
  const spread = createSpread(snapshot, info => heldTerms(info, namespaceLabels))
  const view: View = {
    snapshot,
    spread,
    storage,
    runtimeHandler: runtimeClass => classes.get(runtimeClass)?.handler,
    namespaceLabels,
  }
  const cycle = createCycle(view, plugins)
  const queue = createQueue(clock, wakeUp)
  /** Placed by us, and not yet seen by the informer. */
  const assumed = new Map<string, PodInfo>()
  const nominations = createNominations()
  const noRoom = new WeakMap<Refusal, { readonly message: string }>()
  const underWay = new Set<Promise<void>>()
  let ready = false
  let turn: Promise<void> | undefined

  const isOurs = (pod: Pod) => (pod.spec?.schedulerName || 'default-scheduler') === name
  const isWaiting = (pod: Pod) =>
    isOurs(pod) && !pod.spec?.nodeName && !pod.metadata?.deletionTimestamp && !pod.spec?.schedulingGates?.length

  function tell(event: ClusterEvent) {
    for (const { name: plugin, wokenBy, mayHelp } of plugins) {
      if (wokenBy.includes(event.type)) queue.wake(plugin, ({ info }) => mayHelp(event, info, view))
    }
  }

  /** Brings the snapshot to what the informer says of a pod that has a node. */
  function place(info: PodInfo, nodeName: string) {
    const known = snapshot.pod(info.uid)
    const sameThere = known?.nodeName === nodeName && known.info.template === info.template
    const isLeaving = info.pod.metadata?.deletionTimestamp !== known?.info.pod.metadata?.deletionTimestamp
    assumed.delete(info.uid)
    nominations.remove(info.uid)
    if (sameThere && !isLeaving) return
    snapshot.removePod(info.uid)
    snapshot.addPod(info, nodeName)
    tell({ type: 'pod-placed', pod: info, nodeName })
  }
  function displace(uid: string) {
    assumed.delete(uid)
    nominations.remove(uid)
    const known = snapshot.pod(uid)
    if (!known) return
    snapshot.removePod(uid)
    tell({ type: 'pod-gone', pod: known.info, nodeName: known.nodeName })
    release(uid)
  }
  /** A victim is gone: those whose room is ready now are tried at once. */
  function release(uid: string) {
    for (const info of nominations.gone(uid)) if (queue.has(info.uid)) queue.add(info)
  }
  function onPodGone(pod: Pod) {
    const { uid } = podInfoOf(pod)
    queue.remove(uid)
    displace(uid)
  }
  const onPod: ChangeHandler<Pod> = ({ previous, current }) => {
    if (!current) return onPodGone(previous!)
    if (previous && previous.metadata?.uid !== current.metadata?.uid) onPodGone(previous)
    const info = podInfoOf(current)
    const { uid } = info
    const { nodeName } = current.spec ?? {}
    if (nodeName) {
      queue.remove(uid)
      if (isFinished(current)) displace(uid)
      else place(info, nodeName)
    } else if (!isWaiting(current)) queue.remove(uid)
    else if (!assumed.has(uid) && needsTry(previous, info)) queue.add(info)
  }
  /** Its own status (the condition that we write) changes nothing. */
  function needsTry(previous: Pod | undefined, info: PodInfo): boolean {
    if (!queue.has(info.uid) || !previous) return true
    return podInfoOf(previous).template !== info.template
  }
  const onNode: ChangeHandler<Node> = ({ previous, current }) => {
    if (!current) {
      snapshot.removeNode(previous?.metadata?.name ?? '')
      return tell({ type: 'node-gone' })
    }
    if (previous && !concernsScheduling(previous, current)) return
    snapshot.setNode(current)
    tell({ type: 'node', previous, current })
  }
  const onRuntimeClass: ChangeHandler<RuntimeClass> = () => {
    cycle.forget()
    tell({ type: 'runtime-class' })
  }
  const onNamespace: ChangeHandler<Namespace> = ({ previous, current }) => {
    if (JSON.stringify(previous?.metadata?.labels) === JSON.stringify(current?.metadata?.labels)) return
    cycle.forget()
    spread.forget()
  }

  async function condition(info: PodInfo, message: string, nominatedNodeName: string | null) {
    const old = info.pod.status?.conditions?.find(each => each.type === 'PodScheduled')
    const isTold = old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message
    if (isTold && (info.pod.status?.nominatedNodeName ?? null) === nominatedNodeName) return
    const now = rfc3339(clock.now())
    const next = {
      type: 'PodScheduled',
      ...observed(info.pod),
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' && old.lastTransitionTime ? old.lastTransitionTime : now,
    }
    const patch = { metadata: { uid: info.pod.metadata?.uid }, status: { conditions: [next], nominatedNodeName } }
    await client.kind(Pod).patch(refTo(info), patch, { type: 'strategic', subresource: 'status' })
  }
  function refuse(info: PodInfo, message: string, { plugins: refusedBy }: Refusal, room?: Room) {
    queue.park(info.uid, refusedBy)
    const pod = pods.get(info.key) ?? info.pod
    recorder.event(withKind(pod), 'Warning', 'FailedScheduling', message)
    follow(condition({ ...info, pod }, message, room?.nodeName ?? null), error => {
      if (!hasReason(error, 'NotFound', 'Conflict'))
        logger.warn({ err: error, pod: info.key }, 'a status could not be written')
    })
  }

  async function bind(info: PodInfo, nodeName: string) {
    const { pod, namespace, key } = info
    const metadata = { name: pod.metadata?.name ?? '', namespace, ...(pod.metadata?.uid && { uid: pod.metadata.uid }) }
    const target = { kind: 'Node', apiVersion: 'v1', name: nodeName }
    await client.kind(Pod).subresource(refTo(info), 'binding', { kind: 'Binding', apiVersion: 'v1', metadata, target })
    recorder.event(withKind(pod), 'Normal', 'Scheduled', `Successfully assigned ${key} to ${nodeName}`)
    queue.remove(info.uid)
  }
  function onBindingFailed(info: PodInfo, error: unknown) {
    if (signal.aborted) return
    if (assumed.get(info.uid) === info) displace(info.uid)
    if (hasReason(error, 'NotFound')) return queue.remove(info.uid)
    queue.retry(info.uid)
    if (hasReason(error, 'Conflict')) return
    const message = error instanceof Error ? error.message : String(error)
    logger.warn({ err: error, pod: info.key }, 'a binding failed')
    recorder.event(withKind(info.pod), 'Warning', 'FailedScheduling', `binding rejected: ${message}`)
  }
  function follow(work: Promise<void>, onError: (error: unknown) => void) {
    const done = work.catch(onError).finally(() => {
      underWay.delete(done)
      wakeUp()
    })
    underWay.add(done)
  }

  /** No node takes the pod as things are: it gets the place of others where its priority allows it. */
  function makeRoom(info: PodInfo, refusal: Refusal) {
    nominations.remove(info.uid)
    if (snapshot.size === 0) return refuse(info, refusal.message, refusal)
    // Where nothing stands below it the answer is the same for all of its class.
    const isLowest = info.priority <= snapshot.lowestPriority() && info.pod.spec?.preemptionPolicy !== 'Never'
    const known = isLowest ? noRoom.get(refusal) : undefined
    const found = known ?? findRoom(info, snapshot, cycle.ask(info), budgets.list())
    if ('message' in found) {
      if (isLowest) noRoom.set(refusal, found)
      return refuse(info, `${refusal.message} preemption: ${found.message}`, refusal)
    }
    const [pushed, leaving] = partition(found.victims, each => nominations.get(each.uid) !== undefined)
    for (const each of pushed) {
      // It had only been promised a place: it looks for another one.
      nominations.remove(each.uid)
      snapshot.removePod(each.uid)
      queue.add(each)
    }
    nominations.set(
      info,
      found.nodeName,
      leaving.map(each => each.uid),
    )
    snapshot.addPod(info, found.nodeName)
    refuse(info, refusal.message, refusal, found)
    for (const each of leaving) follow(evict(each, info, found.nodeName), error => onEvictionFailed(each, error))
    if (leaving.length === 0) queue.add(info)
  }
  async function evict(victim: PodInfo, info: PodInfo, nodeName: string) {
    const pod = pods.get(victim.key) ?? victim.pod
    if (pod.metadata?.deletionTimestamp) return
    const message = `${name}: preempting to accommodate a higher priority pod`
    const lastTransitionTime = rfc3339(clock.now())
    const next = {
      type: 'DisruptionTarget',
      ...observed(pod),
      status: 'True',
      reason: 'PreemptionByScheduler',
      message,
      lastTransitionTime,
    }
    const uid = pod.metadata?.uid
    const kind = client.kind(Pod)
    const patch = { metadata: { uid }, status: { conditions: [next] } }
    await kind.patch(refTo(victim), patch, { type: 'strategic', subresource: 'status' })
    await kind.delete(refTo(victim), { ...(uid && { preconditions: { uid } }) })
    recorder.event(withKind(pod), 'Normal', 'Preempted', `Preempted by pod ${info.uid} on node ${nodeName}`)
  }
  function onEvictionFailed(victim: PodInfo, error: unknown) {
    if (signal.aborted) return
    // It is gone, or another one has its name: the informer will tell.
    if (hasReason(error, 'NotFound', 'Conflict')) return
    logger.warn({ err: error, pod: victim.key }, 'a pod could not be preempted; trying again')
    clock.after(EVICTION_RETRY_MS, () => release(victim.uid))
  }

  function decide(info: PodInfo) {
    const nomination = nominations.get(info.uid)
    // It does not stand in its own way.
    if (nomination) snapshot.removePod(info.uid)
    const decision = cycle.decide(info)
    if ('refusal' in decision) {
      if (!nomination || nomination.victims.size === 0) return makeRoom(info, decision.refusal)
      snapshot.addPod(info, nomination.nodeName)
      return queue.park(info.uid, decision.refusal.plugins)
    }
    nominations.remove(info.uid)
    assumed.set(info.uid, info)
    snapshot.addPod(info, decision.nodeName)
    follow(bind(info, decision.nodeName), error => onBindingFailed(info, error))
  }
  async function work() {
    let began = clock.elapsed()
    while (!signal.aborted && underWay.size < BINDINGS) {
      const next = queue.pop()
      if (!next) return
      decide(next.info)
      if (clock.elapsed() - began < TURN_MS) continue
      await new Promise<void>(resolve => setImmediate(resolve))
      began = clock.elapsed()
    }
  }
  function wakeUp() {
    if (!ready || turn || signal.aborted) return
    turn = Promise.resolve()
      .then(work)
      .catch(error => logger.error({ err: error }, 'scheduling failed'))
      .finally(() => {
        turn = undefined
        if (underWay.size < BINDINGS && queue.hasNext()) wakeUp()
      })
  }

  async function begin() {
    await Promise.all([pods, nodes, classes, namespaces, budgets, storage].map(each => each.synced()))
    if (signal.aborted) return
    const ends = [
      nodes.onChange(onNode),
      classes.onChange(onRuntimeClass),
      namespaces.onChange(onNamespace),
      storage.follow(() => tell({ type: 'storage' })),
      pods.onChange(onPod),
    ]
    signal.addEventListener('abort', () => ends.forEach(end => void end()), { once: true })
    ready = true
    wakeUp()
  }
  void begin()

  return {
    explain: (pod: Pod) => cycle.explain(podInfoOf(pod)),
    async ended() {
      queue.close()
      await turn
      await Promise.all(underWay)
    },
  }
}

/** Those for which `test` holds, and the others. */
function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) (test(item) ? yes : no).push(item)
  return [yes, no]
}

/** The generation of the pod that a condition speaks of. */
const observed = ({ metadata }: Pod) =>
  metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation }

const refTo = ({ pod }: PodInfo) => ({ namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' })

/** Events need to say what they are about, also where a cache dropped it. */
const withKind = (pod: Pod): Pod => (pod.kind ? pod : { ...pod, apiVersion: 'v1', kind: 'Pod' })

/** Heartbeats and images change nothing for the scheduler. */
function concernsScheduling(before: Node, now: Node): boolean {
  const view = ({ metadata, spec, status }: Node) =>
    JSON.stringify([metadata?.labels, spec?.taints, spec?.unschedulable, status?.allocatable, status?.runtimeHandlers])
  return before.metadata?.uid !== now.metadata?.uid || view(before) !== view(now)
}
