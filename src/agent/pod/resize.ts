/**
 * A pod's resources over time (KEP-1287): what it asks for is given to it when the node has room, and what it was given
 * is then brought to the kernel. Requests that do not fit wait, and say so; they are looked at again whenever the node
 * has more room.
 *
 * Invariants:
 * - What is given never exceeds the node: giving is one synchronous step, after a look at all other pods.
 * - Limits of the pod as a whole are never below those of its containers: they grow before them and shrink after them.
 */
import type { Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { Resources, RuntimeDriver } from '../runtimes/runtime.ts'
import { type Allocation, allocationOf, differs, restoreAllocation, withAllocation } from './allocation.ts'
import type { PodDeps } from './deps.ts'
import type { Ground } from './ground.ts'
import { containerResources, podResources, sameLimits } from './kernel-resources.ts'
import { isRunning, type Slot, specIn } from './slot.ts'

/** Between tries of a change that the kernel refuses. */
const RETRY_MS = 1000
const RETRY_MAX_MS = 30_000

export interface PodResize {
  /** The pod with the amounts that it has. */
  allocated(): Pod
  /** Gives the pod what it asks for, or notes why not. Called whenever either may have changed. */
  consider(): void
  /** What is to be done about a container: nothing, a live change, or a new instance. */
  needOf(slot: Slot): 'none' | 'update' | 'restart'
  /** Brings what was given to the kernel, where it is not there yet; ms until it is worth another try. */
  actuate(ground: Ground, slots: readonly Slot[]): number | undefined
  /** PodResizePending and PodResizeInProgress, as they are now. */
  conditions(): readonly PodCondition[]
  /** It waits for room on the node. */
  isPending(): boolean
}

export interface ResizeDeps extends Pick<PodDeps, 'clock' | 'events' | 'fitsResized' | 'freed' | 'node'> {
  /** The pod as it is now. */
  pod(): Pod
  changed(): void
}

type Draft = { reason?: string; message?: string; generation: number; since: number }

/** Makes it for a pod; what an earlier life of the node gave is found in its status. */
export function createPodResize(deps: ResizeDeps): PodResize {
  const { clock } = deps
  const backOff = createBackOff(RETRY_MS, RETRY_MAX_MS)
  let allocation: Allocation = restoreAllocation(deps.pod())
  let pending: Draft | undefined
  let progress: Draft | undefined
  let working = false
  let retryAt = 0
  /** Of the pod's own group, as the kernel has them. */
  let applied: Resources | undefined
  /** What containers had when they were first seen, where the runtime does not say. */
  const first = new Map(allocation)

  const allocated = () => withAllocation(deps.pod(), allocation)
  const generation = () => deps.pod().metadata?.generation ?? 0
  const event = (type: 'Normal' | 'Warning', reason: string, text: string, error?: string) =>
    deps.events.event(deps.pod(), type, reason, `${text}: ${summary(allocated(), generation(), error)}`)

  function consider() {
    const pod = deps.pod()
    if (!differs(pod, allocation)) {
      pending = undefined
      return
    }
    const refusal = deps.fitsResized(pod)
    if (refusal) {
      const news = pending === undefined || pending.generation !== generation()
      const since = pending?.since ?? clock.now()
      pending = { reason: 'Deferred', message: refusal.message, generation: generation(), since }
      if (news) {
        const text = `Pod resize Deferred: ${summary(pod, generation(), refusal.message)}`
        deps.events.event(pod, 'Warning', 'ResizeDeferred', text)
      }
      return
    }
    allocation = allocationOf(pod)
    pending = undefined
    progress = { generation: generation(), since: clock.now() }
    retryAt = 0
    backOff.reset()
    event('Normal', 'ResizeStarted', 'Pod resize started')
    deps.freed()
  }

  const wantedOf = (slot: Slot) => {
    const pod = allocated()
    return containerResources(pod, specIn(pod, slot))
  }
  /** As the runtime was last told. */
  const toldOf = (slot: Slot): Resources => {
    if (slot.limits && slot.limits.id === slot.instances[0]?.id) return slot.limits.resources
    return containerResources(withAllocation(deps.pod(), first), {
      ...slot.spec,
      resources: first.get(slot.spec.name) ?? {},
    })
  }
  /** As the runtime says; shares, which the kernel may keep rounded, as it was told where it does not say them. */
  const actualOf = (slot: Slot): Resources => {
    const resources = slot.instances[0]?.resources
    if (resources && resources.cpuShares !== undefined) return resources
    const told = toldOf(slot)
    return resources && told.cpuShares !== undefined ? { cpuShares: told.cpuShares, ...resources } : told
  }
  function needOf(slot: Slot) {
    if (slot.sort === 'ephemeral' || !isRunning(slot)) return 'none'
    const [actual, wanted] = [actualOf(slot), wantedOf(slot)]
    if (sameLimits(actual, wanted)) return 'none'
    const restarts = (resource: string) =>
      slot.spec.resizePolicy?.some(each => each.resourceName === resource && each.restartPolicy === 'RestartContainer')
    const cpu = actual.cpuShares !== wanted.cpuShares || (actual.cpuQuota ?? 0) !== (wanted.cpuQuota ?? 0)
    const memory = (actual.memoryLimit ?? 0) !== (wanted.memoryLimit ?? 0)
    return (cpu && restarts('cpu')) || (memory && restarts('memory')) ? 'restart' : 'update'
  }

  /** Refuses limits below what is in use: the kernel would kill for them. */
  async function checkMemory(driver: RuntimeDriver, slots: readonly Slot[]) {
    for (const slot of slots) {
      const wanted = wantedOf(slot).memoryLimit
      const now = actualOf(slot).memoryLimit ?? Number.POSITIVE_INFINITY
      const [latest] = slot.instances
      if (wanted === undefined || wanted >= now || !latest) continue
      const usage = (await driver.stats(latest.id))?.memoryUsage ?? 0
      if (usage >= wanted) {
        throw new Error(
          `attempting to set container ${JSON.stringify(slot.spec.name)} memory limit (${wanted}) below current usage (${usage})`,
        )
      }
    }
  }
  async function bring({ driver, sandbox }: Ground, slots: readonly Slot[]) {
    const wanted = podResources(allocated(), deps.node.podPids)
    await checkMemory(driver, slots)
    const before = applied ?? wanted
    await driver.updateSandbox(sandbox, largest(before, wanted))
    // Those that shrink make room for those that grow.
    const shrinks = (slot: Slot) => (wantedOf(slot).memoryLimit ?? 0) < (actualOf(slot).memoryLimit ?? 0)
    for (const slot of [...slots].sort((a, b) => Number(shrinks(b)) - Number(shrinks(a)))) {
      const [latest] = slot.instances
      if (latest?.state !== 'running') continue
      const resources = wantedOf(slot)
      await driver.updateContainer(latest.id, resources)
      slot.limits = { id: latest.id, resources }
    }
    await driver.updateSandbox(sandbox, wanted)
    applied = wanted
  }
  function actuate(ground: Ground, slots: readonly Slot[]): number | undefined {
    const wanted = podResources(allocated(), deps.node.podPids)
    if (progress === undefined) applied ??= wanted
    const lacking = slots.filter(slot => needOf(slot) === 'update')
    const settled = lacking.length === 0 && applied !== undefined && sameLimits(applied, wanted)
    if (settled && progress && !slots.some(slot => needOf(slot) === 'restart' || slot.busy === 'starting')) {
      event('Normal', 'ResizeCompleted', 'Pod resize completed')
      progress = undefined
    }
    if (settled || working) return undefined
    const wait = retryAt - clock.elapsed()
    if (wait > 0) return wait
    working = true
    void bring(ground, lacking)
      .then(
        () => backOff.reset(),
        error => {
          const { message } = error as Error
          retryAt = clock.elapsed() + backOff.next()
          if (progress?.message !== message) event('Warning', 'ResizeError', 'Pod resize error', message)
          const { generation: told = generation(), since = clock.now() } = progress ?? {}
          progress = { reason: 'Error', message, generation: told, since }
        },
      )
      .finally(() => {
        working = false
        deps.changed()
      })
    return undefined
  }

  const condition = (type: string, draft: Draft): PodCondition => ({
    type,
    ...(draft.generation ? { observedGeneration: draft.generation } : {}),
    status: 'True',
    lastProbeTime: null as unknown as string,
    lastTransitionTime: rfc3339(draft.since),
    ...(draft.reason ? { reason: draft.reason } : {}),
    ...(draft.message ? { message: draft.message } : {}),
  })
  return {
    allocated,
    consider,
    needOf,
    actuate,
    isPending: () => pending !== undefined,
    conditions: () => [
      ...(pending ? [condition('PodResizePending', pending)] : []),
      ...(progress ? [condition('PodResizeInProgress', progress)] : []),
    ],
  }
}

/** Of two, the limits that leave more; none where either has none. */
function largest(a: Resources, b: Resources): Resources {
  const more = (x: number | undefined, y: number | undefined) =>
    x === undefined || y === undefined ? -1 : Math.max(x, y)
  return {
    ...b,
    cpuShares: Math.max(a.cpuShares ?? 0, b.cpuShares ?? 0),
    cpuQuota: more(a.cpuQuota, b.cpuQuota),
    memoryLimit: more(a.memoryLimit, b.memoryLimit),
  }
}

/** As JSON in events: what each container has, and of which generation that is. */
function summary({ spec }: Pod, generation: number, error?: string): string {
  const of = (list: NonNullable<Pod['spec']>['containers'] | undefined) =>
    list?.length ? list.map(({ name, resources = {} }) => ({ name, resources })) : undefined
  const [initContainers, containers] = [of(spec?.initContainers), of(spec?.containers)]
  return JSON.stringify({
    ...(initContainers && { initContainers }),
    ...(containers && { containers }),
    generation,
    ...(error && { error }),
  })
}
