/**
 * One pod of this node from its binding to its end (DESIGN D8). Level-triggered: whatever happens (the object changed,
 * a process ended, a probe spoke, time passed) leads to the same `sync`, which looks at everything and does what is
 * due. Long work (starts, stops, network) runs beside it and leads to a further `sync`.
 *
 * Invariants:
 * - One start or stop per container at a time; containers do not wait for each other but where the order says so.
 * - What is told to the API server is what the runtime said last.
 * - Nothing runs in a pod after its object was let go (deleted with grace 0).
 */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { sleep, type Timer, within } from '../../lib/clock.ts'
import type { ProbeCounts } from '../probes/counts.ts'
import type { ContainerStatus as Instance, RuntimeDriver } from '../runtimes/runtime.ts'
import { startContainer, stopContainer } from './container.ts'
import { type ContainerDeps, tellRestartBackOff } from './container-events.ts'
import { lostOf } from './container-status.ts'
import { createActiveTime } from './deadline.ts'
import { deleteEnded } from './delete-ended.ts'
import { EVICTED, type PodDeps, podTitle, type Refusal } from './deps.ts'
import { createGrace, DEFAULT_GRACE_S } from './grace.ts'
import { createGroundKeeper, type Ground } from './ground.ts'
import { tellPullBackOff } from './image-pull.ts'
import { findInstances } from './instances.ts'
import { createLastWords } from './last-words.ts'
import { nextChange } from './next-change.ts'
import { statusesOf } from './object.ts'
import { planPod } from './plan.ts'
import { planSlots } from './plan-slots.ts'
import { probeSlot } from './probing.ts'
import { createQuiet } from './quiet.ts'
import { createPodResize } from './resize.ts'
import { shouldRestart } from './restart.ts'
import { couldRestartAll, goes, isRestartingAll, markAll, resetAll, startsAll } from './restart-all.ts'
import { createServicesExit } from './services-exit.ts'
import { createSlot, isRunning, type Slot } from './slot.ts'
import { createStanding } from './standing.ts'
import { podStatus } from './status.ts'
import { createStatusWriter } from './status-writer.ts'
import { containerViews, lastTold } from './view.ts'

/** What is left to a pod that is evicted (the kubelet's). */
const EVICTION_GRACE_MS = 1000
/** What a pod leaves behind makes room for starts for so long. */
const REMAINS_MS = 2000
/** The server, which may be away, is waited for no longer than this before pods are stopped with their node, ms. */
export const TOLD_MS = 1000

export interface PodWorker {
  readonly uid: string
  pod(): Pod
  /** The pod's object as it is now. */
  update(pod: Pod): void
  /** The API server knows the pod no more: it is ended at once. */
  gone(): void
  /** Its volumes of this claim take the size that they have by now. */
  expand(claimName: string): Promise<void>
  /** It is ended as failed, within `graceMs` (default: a second) and its own grace: the node cannot keep it. */
  evict(refusal: Refusal, graceMs?: number): void
  /**
   * It is ended as `refusal` says, within `graceMs` and its own grace, without an event: its machine shuts down. Resolves
   * when nothing of it runs, its volumes are given back and its object says so, if the server answers soon.
   */
  terminate(refusal: Refusal, graceMs: number): Promise<void>
  /** If it has ended, its containers are removed, with their logs and what they have written; its status stays. */
  makeRoom(): Promise<void>
  /** What it waits for may be there: its ground is tried again at once. */
  retry(): void
  /** The runtime has news of it: of its sandbox, or of a container. */
  changed(what?: 'sandbox' | 'container'): void
  /** The pod with the resources that it has been given; it still takes them. */
  allocated(): Pod
  /** It waits for room on the node to be resized. */
  waits(): boolean
  /** For logs, exec and port-forward: the runtime and what it has of the pod; undefined before there is anything. */
  place(): { readonly driver: RuntimeDriver; readonly sandbox: string | undefined } | undefined
  /** Instances of a container, newest first; undefined when the pod has no such container. */
  instances(container: string): readonly Instance[] | undefined
  /** How its probes went, by container. */
  probed(): readonly (readonly [container: string, counts: ProbeCounts])[]
  /** Where a volume is on this machine; undefined while it is not made. */
  volumePath(name: string): string | undefined
  /** The port that stands for a declared one: another in portable mode. */
  port(containerPort: number): number
  /**
   * Stops its containers: the node goes down. Its object is told that it is not ready, and is left alone then. Each
   * container has its grace, but at most `timeoutMs`.
   * Resolves when nothing runs.
   */
  drain(timeoutMs: number): Promise<void>
  /** Resolves when nothing is left of it. */
  readonly ended: Promise<void>
  /** Stops caring; workloads go on. */
  release(): void
}

/** Begins the life of a pod here, or takes it up where an earlier Tutti left it. */
export function createPodWorker(shared: PodDeps, first: Pod): PodWorker {
  const { clock, logger } = shared
  const uid = first.metadata?.uid ?? ''
  let pod = first
  const longest = shared.node.restartMaxMs
  const slots: Slot[] = [
    ...(first.spec?.initContainers ?? []).map(spec => createSlot(spec, 'init', longest)),
    ...(first.spec?.containers ?? []).map(spec => createSlot(spec, 'main', longest)),
    ...(first.spec?.ephemeralContainers ?? []).map(spec => createSlot(spec as Slot['spec'], 'ephemeral', longest)),
  ]
  const lastWords = createLastWords()
  const startTime = parseTime(first.status?.startTime) ?? clock.now()
  const active = createActiveTime(clock, startTime)
  let adopted = false
  /** Slots that had an instance when last looked at. */
  const seen = new Set<Slot>()
  let restartingAll = isRestartingAll(first)
  if (restartingAll) markAll(slots, statusesOf(first))
  /** Counts how often all instances were forgotten. */
  let epoch = 0
  /** A pod that ran before is not asked again whether it fits. */
  let admitted = first.status?.startTime !== undefined
  /** It is being given devices. */
  let admitting = false
  let failure: Refusal | undefined
  /** Nothing will be started any more. */
  let over = isFinished(first)
  /** Its status is as it is: it had ended before this life began, or its containers have been removed since. */
  let isTold = over
  let isGone = false
  let draining = shared.ending ?? false
  let cleaning: 'no' | 'running' | 'done' = 'no'
  let letGo = false
  let released = false
  let syncing = false
  let again = false
  let timer: Timer | undefined
  const grace = createGrace(clock)
  const quietFor = createQuiet(clock)
  const servicesExit = createServicesExit(shared.podNetwork, uid, () => kick())
  const { promise: ended, resolve: markEnded } = Promise.withResolvers<void>()
  /** Its ground is given back. */
  const cleaned = Promise.withResolvers<void>()

  const resize = createPodResize({ ...shared, pod: () => pod, changed: () => kick() })
  const deps: ContainerDeps = {
    ...shared,
    pod: () => pod,
    allocated: resize.allocated,
    running: name => slots.find(slot => slot.spec.name === name && isRunning(slot))?.instances[0]?.id,
    changed: () => kick(),
  }
  const keeper = createGroundKeeper(shared, first, () => void refresh())
  const standing = createStanding({
    shared,
    keeper,
    pod: () => pod,
    allocated: resize.allocated,
    ending: () => ending(),
    made({ fresh }) {
      if (fresh) for (const slot of slots) slot.anew ??= slot.instances.length === 0 ? 'sandbox' : undefined
    },
    changed: () => kick(),
  })
  const writer = createStatusWriter(shared, first, () => {
    isGone = true
    kick()
  })

  function kick() {
    if (released) return
    if (syncing) again = true
    else void sync()
  }
  function wakeIn(ms: number | undefined) {
    timer?.cancel()
    timer = ms === undefined || released ? undefined : clock.after(ms, kick)
  }
  async function sync() {
    syncing = true
    try {
      do {
        again = false
        await look()
        if (released) return
        const wake = ending() ? await end() : advance()
        if (released) return
        const quiet = ending() || standing.problem() !== undefined ? 0 : quietFor(standing.isBusy(), slots)
        if (quiet === 0) publish()
        wakeIn(quiet === 0 ? wake : Math.min(wake ?? quiet, quiet))
      } while (again)
    } catch (error) {
      logger.error({ err: error, pod: podTitle(pod) }, 'the work on a pod failed; trying again')
      wakeIn(1000)
    } finally {
      syncing = false
      if (again) kick()
    }
  }

  /** Reads what the runtime has of the pod. */
  async function look(): Promise<void> {
    const runtime = await standing.attach()
    if (!runtime) return
    const before = epoch
    const found = await findInstances(runtime, uid, slots, lastWords)
    await standing.check()
    // What was seen before everything was forgotten is not so any more.
    if (epoch !== before) return look()
    for (const slot of slots) {
      slot.instances = found.get(slot) ?? slot.instances
      const [latest] = slot.instances
      noteLost(slot, latest)
      // What was found running had its hook in an earlier life.
      if (!adopted && latest?.state === 'running') slot.hooked = latest.id
      const lasting =
        latest?.state === 'exited' && !shouldRestart(slot.spec, pod.spec!, latest.exitCode ?? 0, slot.init)
      if (latest?.state === 'running' || (lasting && slot.forced !== latest.id)) slot.waiting = undefined
      probeSlot(deps, standing.ground(), slot, pod, ending())
    }
    adopted = true
  }
  /** Notes how an instance ended that was there and is not any more. */
  function noteLost(slot: Slot, latest: Instance | undefined) {
    if (latest) {
      seen.add(slot)
      // One that has a predecessor of its own in the runtime needs no other.
      if (slot.instances.length > 1) slot.lost = undefined
      slot.anew = undefined
    } else if ((!adopted || seen.delete(slot)) && slot.anew !== 'all' && !restartingAll) {
      slot.lost = lostOf(statusesOf(known()).find(each => each.name === slot.spec.name))
    }
  }
  /** The pod with the status that was told last. */
  const known = (): Pod => ({ ...pod, status: writer.current() ?? pod.status ?? {} })

  const ending = () =>
    isGone || draining || over || failure !== undefined || pod.metadata?.deletionTimestamp !== undefined

  /** Moves a pod on that shall run; the wake-up that it asks for in ms. */
  function advance(): number | undefined {
    if (!admitted) admit()
    admitted = true
    if (admitting || failure) return undefined
    const deadline = active.left(pod)
    if (deadline !== undefined && deadline <= 0) {
      const message = 'Pod was active on the node longer than the specified deadline'
      failure = { reason: 'DeadlineExceeded', message }
      shared.events.event(pod, 'Normal', 'DeadlineExceeded', message)
      again = true
      return undefined
    }
    resize.consider()
    const wakes = [deadline, ...slots.map(slot => tellPullBackOff(deps, slot))]
    const ground = standing.ground()
    if (ground && standing.isLost()) leave(ground)
    else if (ground && (restartingAll || slots.some(startsAll))) wakes.push(restartAll(ground))
    else if (ground) wakes.push(follow(ground))
    else if (
      slots.some(slot => slot.instances.length > 0 || slot.lost) &&
      planPod(pod.spec!, planned(undefined)).over
    ) {
      over = true
      again = true
    } else wakes.push(standing.make())
    const due = wakes.filter(wake => wake !== undefined)
    return due.length > 0 ? Math.min(...due) : undefined
  }
  /** Whether it may run here at all; devices of plugins are given out in a while. */
  function admit() {
    const judged = shared.admit(pod)
    const isKnown = !(judged instanceof Promise)
    if (isKnown && judged) return reject(judged)
    if (isKnown && !shared.devices.wants(pod)) return
    admitting = true
    const refused = async () => (await judged) ?? (shared.devices.wants(pod) ? shared.devices.admit(pod) : undefined)
    void refused().then(refusal => {
      admitting = false
      if (refusal && !failure) reject(refusal)
      kick()
    })
  }
  /** The node does not take it. */
  function reject(refusal: Refusal) {
    shared.events.event(pod, 'Warning', refusal.reason, refusal.message)
    failure = { ...refusal, message: `Pod was rejected: ${refusal.message}`, rejected: true }
    again = true
  }
  /** The sandbox is gone, and with it what ran in it: everything is made anew. */
  function leave(base: Ground) {
    const running = slots.filter(isRunning)
    for (const slot of running) if (!slot.busy) stop(base, slot, grace.left(pod, isGone))
    if (running.length > 0 || slots.some(slot => slot.busy) || standing.isBusy()) return
    grace.reset()
    standing.leave()
  }
  /** One has ended in a way that starts all anew: the others are killed, and everything is forgotten. */
  function restartAll(base: Ground): number | undefined {
    const causes = slots.filter(startsAll)
    const waits = causes.map(slot => slot.backOff.wait(slot.instances[0]?.finishedAt ?? 0, clock))
    const wait = Math.max(0, ...waits)
    // Until its back-off is over it waits as any other, and the others go on.
    if (!restartingAll && wait > 0) return Math.min(wait, follow(base) ?? wait)
    if (!restartingAll) {
      for (const slot of causes) slot.backOff.restarted(clock.now())
      markAll(slots)
    }
    restartingAll = true
    const rest = slots.filter(slot => goes(slot) || slot.busy)
    for (const slot of rest.filter(isRunning)) if (!slot.busy) stop(base, slot, 0)
    if (standing.isBusy() || rest.some(slot => isRunning(slot) || slot.busy)) return undefined
    const forgotten = () => {
      restartingAll = false
      epoch++
    }
    standing.alone(() => resetAll(base.driver, slots, forgotten), 'containers could not be forgotten; trying again')
    return undefined
  }
  const planned = (sandbox: string | undefined) => planSlots(slots, resize, clock, sandbox)
  /** Starts and stops containers as planned. */
  function follow(base: Ground): number | undefined {
    const resizeWake = resize.actuate(base, slots)
    const plan = planPod(pod.spec ?? { containers: [] }, planned(base.sandbox))
    const find = (name: string) => slots.find(slot => slot.spec.name === name)!
    for (const { name, message, probe: failed, forced } of plan.stop) {
      const slot = find(name)
      if (forced) slot.forced = slot.instances[0]?.id
      const spec = failed && slot.spec[`${failed}Probe`]
      const grace = spec?.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S
      stop(base, slot, grace * 1000, message)
    }
    for (const name of plan.backOff) tellRestartBackOff(deps, find(name))
    for (const name of plan.start) {
      const slot = find(name)
      occupy(slot, 'starting', () => startContainer(deps, base, slot))
    }
    if (plan.over) {
      over = true
      again = true
    }
    return resizeWake === undefined ? plan.wake : Math.min(resizeWake, plan.wake ?? resizeWake)
  }
  function occupy(slot: Slot, what: 'starting' | 'stopping', work: () => Promise<void>) {
    slot.busy = what
    void work()
      .catch(error => logger.error({ err: error, pod: podTitle(pod), container: slot.spec.name }, `${what} failed`))
      .finally(() => {
        slot.busy = undefined
        kick()
      })
  }
  type Base = Parameters<typeof stopContainer>[1]
  const stop = (base: Base, slot: Slot, graceMs: number, message = `Stopping container ${slot.spec.name}`) =>
    occupy(slot, 'stopping', () => stopContainer(deps, base, slot, message, graceMs))
  /** Brings a pod to its end: main containers first, then sidecars from the last to the first, then its ground. */
  async function end(): Promise<undefined> {
    for (const slot of slots) slot.prober?.prober.endPodBegan()
    const running = slots.filter(isRunning)
    if (running.length > 0) {
      const left = grace.left(pod, isGone)
      if (!isGone && pod.metadata?.deletionTimestamp && servicesExit.isUnderWay(known(), left)) return undefined
      const mains = running.filter(slot => !slot.init || !isSidecar(slot.spec))
      const next = mains.length > 0 ? mains : [running.at(-1)!]
      for (const slot of running) slot.hurry?.(left)
      for (const slot of next) {
        const driver = standing.driver()
        if (slot.busy || !driver) continue
        stop(standing.ground() ?? { driver }, slot, left)
      }
      return undefined
    }
    if (slots.some(slot => slot.busy) || standing.isBusy() || draining) return undefined
    if (cleaning === 'no') {
      cleaning = 'running'
      void cleanUp()
    }
    if (cleaning === 'done' && !letGo && (isGone || pod.metadata?.deletionTimestamp)) {
      letGo = true
      void finish()
    }
    return undefined
  }
  async function cleanUp() {
    try {
      // Nothing of it runs any more: those that come in its place go before.
      await shared.starts.calm(REMAINS_MS)
      await standing.giveBack()
      shared.devices.release(uid)
      // The kubelet's way, too: what ran short may be what they have written.
      if (failure?.reason === EVICTED) await removeContainers()
      cleaning = 'done'
      cleaned.resolve()
    } catch (error) {
      logger.warn({ err: error, pod: podTitle(pod) }, 'a pod could not be cleaned up; trying again')
      await sleep(clock, 1000, shared.signal)
      cleaning = 'no'
    }
    kick()
  }
  async function removeContainers() {
    isTold = true
    const driver = standing.driver()
    for (const { id } of slots.flatMap(({ instances }) => instances)) await driver?.removeContainer(id)
    kick()
  }
  /** The last word: the object may go, and with it everything here. */
  async function finish() {
    publish()
    await writer.flushed()
    await deleteEnded(shared, first, () => isGone || released)
    if (released) return
    release()
    await keeper.remove().catch(error => logger.warn({ err: error, pod: podTitle(pod) }, 'remains of a pod were left'))
    markEnded()
  }

  /** `leaving`: it is told that the pod is about to be stopped. */
  function publish(leaving = false) {
    if (isGone || draining || isTold) return
    // One that ran before is not told as unready while its ground is being found again.
    const [ground, driver, groundProblem] = [standing.ground(), standing.driver(), standing.problem()]
    if (first.status?.podIP && !ground && groundProblem === undefined && !ending()) return
    const status = lastTold(pod, writer.current())
    const terminal = ending() && !slots.some(slot => isRunning(slot) || slot.busy)
    const next = podStatus(
      status ? { ...pod, status } : pod,
      {
        ...containerViews(slots, {
          resize,
          groundProblem: ground ? undefined : groundProblem,
          leaving: leaving || failure !== undefined,
        }),
        restartsAll: couldRestartAll(pod) ? restartingAll : undefined,
        sandbox: ground !== undefined && cleaning === 'no',
        podIPs: ground?.podIPs ?? (status?.podIPs ?? []).map(each => each.ip),
        hostIPs: shared.node.ips,
        startTime,
        failure,
        terminal: terminal && (over || failure !== undefined || pod.metadata?.deletionTimestamp !== undefined),
        runtime: driver?.version.split(':')[0] ?? 'unknown',
        recursiveReadOnly: driver?.capabilities.recursiveReadOnly ?? false,
      },
      clock.now(),
    )
    const ports = ground?.ports ?? {}
    writer.set(next, Object.keys(ports).length > 0 ? { 'tutti.dev/ports': JSON.stringify(ports) } : undefined)
  }

  function refresh() {
    // Starts that failed for want of an object are tried again at once.
    for (const slot of slots) slot.retryAt = 0
    return standing.refresh()
  }
  /** Takes over the containers of a changed pod; whether there are more of them. */
  function takeSpecs({ spec }: Pod): boolean {
    const { initContainers = [], containers = [] } = spec ?? {}
    const ephemeral = (spec?.ephemeralContainers ?? []) as readonly Slot['spec'][]
    const all = [...initContainers, ...containers, ...ephemeral]
    for (const slot of slots) slot.spec = all.find(each => each.name === slot.spec.name) ?? slot.spec
    const added = ephemeral.filter(each => !slots.some(slot => slot.spec.name === each.name))
    for (const each of added) slots.push(createSlot(each, 'ephemeral', longest))
    return added.length > 0
  }
  /** Resolves when the server has its status, or will not have it soon. */
  const told = () => within(clock, TOLD_MS, writer.flushed(), shared.signal)
  function release() {
    released = true
    cleaned.resolve()
    timer?.cancel()
    for (const slot of slots) slot.prober?.prober.stop()
    standing.release()
  }

  kick()
  return {
    uid,
    pod: () => pod,
    update(next) {
      const before = pod
      pod = next
      writer.seen(next)
      const added = takeSpecs(next)
      const { metadata: a = {} } = before
      const { metadata: b = {} } = next
      const told = JSON.stringify([a.labels, a.annotations]) !== JSON.stringify([b.labels, b.annotations])
      if ((told || added) && standing.ground()) void refresh()
      else kick()
    },
    gone() {
      isGone = true
      kick()
    },
    expand: claimName => keeper.expand(pod, claimName),
    evict(refusal, graceMs = EVICTION_GRACE_MS) {
      if (ending()) return
      failure = refusal
      grace.limit(graceMs)
      shared.events.event(pod, 'Warning', refusal.reason, refusal.message)
      kick()
    },
    async terminate(refusal, graceMs) {
      if (!ending()) failure = refusal
      grace.limit(graceMs)
      kick()
      await cleaned.promise
      await told()
    },
    async makeRoom() {
      if (cleaning === 'done') await removeContainers()
    },
    retry() {
      standing.retry()
      kick()
    },
    changed(what) {
      if (what === 'sandbox') standing.news()
      kick()
    },
    allocated: resize.allocated,
    waits: resize.isPending,
    place() {
      const driver = standing.driver()
      return driver && { driver, sandbox: standing.ground()?.sandbox }
    },
    instances: name => slots.find(slot => slot.spec.name === name)?.instances,
    probed: () => slots.map(({ spec, probed }) => [spec.name, probed]),
    volumePath: name => standing.ground()?.volumes?.pathOf(name),
    port: containerPort => standing.ground()?.ports[containerPort] ?? containerPort,
    async drain(timeoutMs) {
      // Others stop to call it before it stops to answer.
      publish(true)
      draining = true
      await told()
      grace.limit(timeoutMs)
      kick()
      if (!adopted) await look()
      while (slots.some(slot => isRunning(slot) || slot.busy)) {
        await nextChange(standing.driver(), uid, clock, 250)
        await look()
      }
      // The pod runs here again some day, on new ground: nothing of the old one may be taken for it.
      await keeper.rest()
    },
    ended,
    release,
  }
}
