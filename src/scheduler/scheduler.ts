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
import { type Client, hasReason } from '../client/client.ts'
import type { Informers } from '../client/informers.ts'
import { createSeriesRecorder } from '../client/series-recorder.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { bindVolumes } from './bind-volumes.ts'
import type { NodeVerdict } from './cycle.ts'
import { followCluster } from './follow-cluster.ts'
import { createRoomMaker } from './make-room.ts'
import type { Plugin } from './plugin.ts'
import { plugins as defaultPlugins } from './plugins/all.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import { createState } from './state.ts'
import { followStorage } from './storage.ts'
import { createUnderWay } from './under-way.ts'
import { createWrites } from './writes.ts'

export interface SchedulerDeps {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
  /** Default: all of `plugins/all.ts`. */
  readonly plugins?: readonly Plugin[]
  /** Pods with this `spec.schedulerName` are its own. Default `default-scheduler`. */
  readonly name?: string
  /** The machine it runs on, which its events name. */
  readonly host?: string
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
  const source = { controller: name, instance: deps.host ? `${name}-${deps.host}` : name }
  const recorder = createSeriesRecorder(client.transport, source, { clock, logger }, signal)
  const budgets = informers.of<PodDisruptionBudget>(PodDisruptionBudget)
  const storage = followStorage(informers)
  const state = createState({ informers, storage, plugins, clock, onReady: wakeUp })
  const { snapshot, cycle, queue, nominations, assumed } = state
  const underWay = createUnderWay(wakeUp)
  const volumeDeps = { client, storage, clock, signal }
  const writes = createWrites({ client, recorder, pods: informers.of(Pod), clock, name })
  const makeRoom = createRoomMaker({ state, writes, underWay, budgets, clock, logger }, signal)
  let ready = false
  let turn: Promise<void> | undefined

  async function bind(info: PodInfo, nodeName: string) {
    await writes.bind(info, nodeName)
    queue.remove(info.uid)
  }
  function onBindingFailed(info: PodInfo, error: unknown) {
    if (signal.aborted) return
    if (assumed.get(info.uid) === info) state.displace(info.uid)
    if (hasReason(error, 'NotFound')) return queue.remove(info.uid)
    queue.retry(info.uid)
    if (hasReason(error, 'Conflict')) return
    const message = error instanceof Error ? error.message : String(error)
    logger.warn({ err: error, pod: info.key }, 'a binding failed')
    writes.failed(info, `binding rejected: ${message}`)
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
    const bindNow = () => underWay.follow(bind(info, decision.nodeName), error => onBindingFailed(info, error))
    const volumes = bindVolumes(volumeDeps, info, snapshot.node(snapshot.slotOf(decision.nodeName)!)!)
    if (!volumes) return bindNow()
    // Volumes may take minutes to be made: others are bound meanwhile.
    volumes.then(
      () => assumed.get(info.uid) === info && bindNow(),
      error => onBindingFailed(info, error),
    )
  }
  async function work() {
    let began = clock.elapsed()
    while (!signal.aborted && underWay.count() < BINDINGS) {
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
        if (underWay.count() < BINDINGS && queue.hasNext()) wakeUp()
      })
  }

  async function begin() {
    const [pods, nodes] = [informers.of(Pod), informers.of(Node)]
    const [classes, namespaces] = [informers.of(RuntimeClass), informers.of(Namespace)]
    await Promise.all([pods, nodes, classes, namespaces, budgets, storage].map(each => each.synced()))
    if (signal.aborted) return
    const end = followCluster(state, informers, storage, name)
    signal.addEventListener('abort', end, { once: true })
    ready = true
    wakeUp()
  }
  void begin()

  return {
    explain: (pod: Pod) => cycle.explain(podInfoOf(pod)),
    async ended() {
      queue.close()
      await turn
      await underWay.ended()
    },
  }
}
