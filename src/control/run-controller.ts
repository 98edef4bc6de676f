/**
 * The run loop of a controller: changes become keys, keys become plans, plans become writes. An object is not
 * reconciled again before the caches show what was last written for it, so no controller acts twice on old news.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { createBackOff } from '../client/back-off.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import type { GrowingInformer } from '../client/informer.ts'
import { keyOf, type ObjectKey, objectKey } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'
import type { Resource } from '../client/resource.ts'
import { createWorkQueue } from '../client/work-queue.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { commit, isAmbiguous, isQuiet, isTerminating, type Written } from './commit.ts'

import type { Controller, View } from './controller.ts'
import type { Plan } from './plan.ts'
import { createSight } from './sight.ts'
import { createWriteBudget } from './write-budget.ts'

export interface ControllerDeps {
  readonly client: Client
  /** Shared by the controllers of one process. */
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
  /** Counts of work, where wanted. */
  readonly metrics?: ControllerMetrics
}

/** Called as work happens, with the name of the controller's queue; each call must be cheap. */
export interface ControllerMetrics {
  /** A key was asked for. */
  added(queue: string): void
  /** Keys that wait. */
  depth(queue: string, depth: number): void
  /** One pass: how long it took in ms with its writes, and how it ended. */
  reconciled(queue: string, ms: number, result: 'done' | 'failed', writes: number): void
}

/** Waits between tries of one object, ms: 5 doubling to 16 minutes (as upstream). */
const BACK_OFF = { backOff: 5, backOffMax: 1_000_000 }

/** Between two warnings of one controller, ms. */
const TELL_MS = 60_000

/** Runs a controller until `signal` aborts; resolves when its last write has ended. */
export async function runController(controller: Controller, deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  const { clock } = deps
  const { queue: queueName = controller.name } = controller
  const logger = deps.logger.child({ controller: controller.name })
  const recorder = createEventRecorder(deps.client.transport, { component: controller.name }, { clock, logger }, signal)
  const queue = createWorkQueue<ObjectKey>(clock, BACK_OFF)
  const informers = informersOf(controller, deps.informers)
  // Started again after a failure: what was in flight then may not be in the caches yet.
  const known = [...informers.values()].filter(each => each.revision() > 0)
  const view: View = {
    memory: new Map(),
    of<T extends KubeObject>(resource: Resource<T>) {
      const informer = informers.get(resource.key)
      if (!informer) throw new Error(`controller ${controller.name} reads ${resource.key} without declaring it`)
      return informer as unknown as GrowingInformer<T>
    },
  }
  const ends = subscribe(controller, informers, view, key => {
    queue.add(key)
    deps.metrics?.added(queueName)
    deps.metrics?.depth(queueName, queue.depth())
  })
  const sight = createSight(informers)
  const budget = createWriteBudget<ObjectKey>(clock)
  let toldAt = Number.NEGATIVE_INFINITY
  const stop = () => {
    queue.close()
    sight.close()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const current = [...informers.values()].map(each => each.synced()).concat(known.map(each => each.refresh()))
  await Promise.race([Promise.all(current), aborted(signal)])

  function planFor(key: ObjectKey, object: KubeObject | undefined): Plan {
    const now = clock.now()
    if (object) return controller.reconcile(object, view, now)
    return controller.absent?.(key, view, now) ?? {}
  }
  async function pass(key: ObjectKey): Promise<readonly Written[]> {
    const start = clock.now()
    const object = informers.get(controller.for.key)!.get(key)
    const plan = planFor(key, object)
    const { written, error } = await commit(plan, controller.for, object, { client: deps.client, recorder })
    deps.metrics?.reconciled(queueName, clock.now() - start, error ? 'failed' : 'done', written.length)
    if (error) {
      if (isAmbiguous(error)) await refresh(plan, key)
      // Nothing can be made in a namespace that goes away: wait for its changes.
      if (isTerminating(error)) queue.forget(key)
      else fail(key, error)
      return written
    }
    queue.forget(key)
    if (written.length > 0) queue.add(key)
    else if (plan.requeue?.type === 'after') queue.addAfter(key, plan.requeue.ms)
    return written
  }
  /** Nobody knows what was written: only a new list tells, and acting before would act twice. */
  async function refresh(plan: Plan, key: ObjectKey): Promise<void> {
    const kinds = new Set([controller.for.key, ...(plan.writes ?? []).map(each => each.resource.key)])
    for (let waits = createBackOff(BACK_OFF.backOff, 10_000); !signal.aborted; ) {
      try {
        await Promise.all([...kinds].map(kind => informers.get(kind)?.refresh()))
        return
      } catch (error) {
        logger.debug({ key, err: error }, 'the state could not be listed after a failed write')
        await sleep(clock, waits.next(), signal)
      }
    }
  }
  function fail(key: ObjectKey, error: Error) {
    const ms = queue.addFailed(key)
    if (isQuiet(error)) logger.debug({ key, err: error, retryInMs: ms }, 'a write was refused')
    else logger.warn({ key, err: error, retryInMs: ms }, 'a pass failed')
  }
  /** Holds a key that is written again and again: what is asked for meanwhile is done in one. */
  async function rest(key: ObjectKey) {
    const ms = budget.spend(key)
    if (ms === 0) return
    if (clock.elapsed() - toldAt > TELL_MS) {
      toldAt = clock.elapsed()
      logger.warn({ key }, 'an object is written without rest: does something else undo it?')
    }
    await sleep(clock, ms, signal)
  }
  async function work(key: ObjectKey, release: () => void) {
    let written: readonly Written[] = []
    try {
      written = await pass(key)
    } catch (error) {
      if (!signal.aborted) fail(key, error as Error)
    } finally {
      release()
    }
    await sight.shown(written)
    if (written.length > 0) await rest(key)
    queue.done(key)
  }

  const slots = createSlots(controller.concurrency ?? 16)
  const running = new Set<Promise<void>>()
  for (;;) {
    const key = await queue.take()
    if (key === undefined) break
    deps.metrics?.depth(queueName, queue.depth())
    const release = await slots.take()
    const task = work(key, release)
    running.add(task)
    void task.finally(() => running.delete(task))
  }
  for (const end of ends) end()
  await Promise.all(running)
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** Every informer that the controller needs, by kind key. */
function informersOf(controller: Controller, informers: Informers): Map<string, GrowingInformer<KubeObject>> {
  const result = new Map<string, GrowingInformer<KubeObject>>()
  const reads = [
    { resource: controller.for },
    ...(controller.owns ?? []).map(resource => ({ resource })),
    ...(controller.watches ?? []).map(({ resource }) => ({ resource })),
    ...(controller.reads ?? []),
  ]
  for (const read of reads) result.set(read.resource.key, informers.of(read.resource, read))
  return result
}

/** Turns changes into keys; returns the ends of the subscriptions. */
function subscribe(
  controller: Controller,
  informers: ReadonlyMap<string, GrowingInformer<KubeObject>>,
  view: View,
  add: (key: ObjectKey) => void,
): (() => void)[] {
  const ownerKey = (object: KubeObject | undefined) => {
    const owner = object?.metadata?.ownerReferences?.find(each => each.controller)
    if (!owner || owner.kind !== controller.for.kind) return undefined
    const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : ''
    if (group !== controller.for.group) return undefined
    return objectKey(controller.for.namespaced ? object?.metadata?.namespace : undefined, owner.name)
  }
  return [
    informers.get(controller.for.key)!.onChange(({ previous, current }) => add(keyOf((current ?? previous)!))),
    ...(controller.owns ?? []).map(resource =>
      informers.get(resource.key)!.onChange(({ previous, current }) => {
        const before = ownerKey(previous)
        const now = ownerKey(current)
        if (now) add(now)
        if (before && before !== now) add(before)
      }),
    ),
    ...(controller.watches ?? []).map(({ resource, keys }) =>
      informers.get(resource.key)!.onChange(change => {
        for (const key of keys(change, view)) add(key)
      }),
    ),
  ]
}

/** At most `count` holders at a time. */
function createSlots(count: number): { take(): Promise<() => void> } {
  let free = count
  const waiting: (() => void)[] = []
  const release = () => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  return {
    async take() {
      if (free > 0) free--
      else await new Promise<void>(resolve => void waiting.push(resolve))
      return release
    },
  }
}
