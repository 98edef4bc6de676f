/**
 * Gives pods their nodes. It follows pods, nodes and runtime classes by informers, decides in memory, and posts
 * bindings, many at a time; what it decided counts from the moment of the decision (an assumed pod), not from the
 * moment at which the informer shows it.
 */
import { Namespace } from '../api/kinds/core/namespace.ts'
import { Node } from '../api/kinds/core/node.ts'
import { Pod } from '../api/kinds/core/pod.ts'
import { RuntimeClass } from '../api/kinds/node/runtime-class.ts'
import { rfc3339 } from '../api/machinery/time.ts'
import { type Client, hasReason } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import type { ChangeHandler } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { createCycle, type NodeVerdict } from './cycle.ts'
import type { ClusterEvent, Plugin, View } from './plugin.ts'
import { plugins as defaultPlugins } from './plugins/all.ts'
import { heldTerms } from './plugins/inter-pod-affinity.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import { createQueue } from './queue.ts'
import { createSnapshot } from './snapshot.ts'
import { createSpread } from './spread.ts'

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

  const snapshot = createSnapshot()
  const namespaceLabels = (namespace: string) => namespaces.get(namespace)?.metadata?.labels
  const spread = createSpread(snapshot, info => heldTerms(info, namespaceLabels))
  const view: View = {
    snapshot,
    spread,
    runtimeHandler: runtimeClass => classes.get(runtimeClass)?.handler,
    namespaceLabels,
  }
  const cycle = createCycle(view, plugins)
  const queue = createQueue(clock, wakeUp)
  /** Placed by us, and not yet seen by the informer. */
  const assumed = new Map<string, PodInfo>()
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
    if (sameThere && !isLeaving) return
    snapshot.removePod(info.uid)
    snapshot.addPod(info, nodeName)
    tell({ type: 'pod-placed', pod: info, nodeName })
  }
  function displace(uid: string) {
    assumed.delete(uid)
    const known = snapshot.pod(uid)
    if (!known) return
    snapshot.removePod(uid)
    tell({ type: 'pod-gone', pod: known.info, nodeName: known.nodeName })
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

  async function condition(info: PodInfo, message: string) {
    const old = info.pod.status?.conditions?.find(each => each.type === 'PodScheduled')
    if (old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return
    const now = rfc3339(clock.now())
    const next = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' && old.lastTransitionTime ? old.lastTransitionTime : now,
    }
    const patch = { metadata: { uid: info.pod.metadata?.uid }, status: { conditions: [next] } }
    await client.kind(Pod).patch(refTo(info), patch, { type: 'strategic', subresource: 'status' })
  }
  function refuse(info: PodInfo, message: string, refusedBy: ReadonlySet<string>) {
    queue.park(info.uid, refusedBy)
    const pod = pods.get(info.key) ?? info.pod
    recorder.event(withKind(pod), 'Warning', 'FailedScheduling', message)
    follow(condition({ ...info, pod }, message), error => {
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

  function decide(info: PodInfo) {
    const decision = cycle.decide(info)
    if ('refusal' in decision) return refuse(info, decision.refusal.message, decision.refusal.plugins)
    assumed.set(info.uid, info)
    snapshot.addPod(info, decision.nodeName)
    follow(bind(info, decision.nodeName), error => onBindingFailed(info, error))
  }
  async function work() {
    let began = performance.now()
    while (!signal.aborted && underWay.size < BINDINGS) {
      const next = queue.pop()
      if (!next) return
      decide(next.info)
      if (performance.now() - began < TURN_MS) continue
      await new Promise<void>(resolve => setImmediate(resolve))
      began = performance.now()
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
    await Promise.all([pods.synced(), nodes.synced(), classes.synced(), namespaces.synced()])
    if (signal.aborted) return
    const ends = [
      nodes.onChange(onNode),
      classes.onChange(onRuntimeClass),
      namespaces.onChange(onNamespace),
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

const refTo = ({ pod }: PodInfo) => ({ namespace: pod.metadata?.namespace, name: pod.metadata?.name ?? '' })

/** Events need to say what they are about, also where a cache dropped it. */
const withKind = (pod: Pod): Pod => (pod.kind ? pod : { ...pod, apiVersion: 'v1', kind: 'Pod' })

/** Heartbeats and images change nothing for the scheduler. */
function concernsScheduling(before: Node, now: Node): boolean {
  const view = ({ metadata, spec, status }: Node) =>
    JSON.stringify([metadata?.labels, spec?.taints, spec?.unschedulable, status?.allocatable, status?.runtimeHandlers])
  return before.metadata?.uid !== now.metadata?.uid || view(before) !== view(now)
}
