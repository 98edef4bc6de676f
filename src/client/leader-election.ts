/**
 * Leadership by a Lease (coordination.k8s.io/v1), in the manner of client-go's leaderelection. Leadership is a scope:
 * work gets a signal that aborts when it is lost. A holder counts as gone when its lease has not changed for its
 * duration by the watcher's own clock, so the machines' clocks need not agree.
 */
import type { Lease } from '../api/generated/types/coordination-v1.ts'
import { rfc3339Micro } from '../api/machinery/time.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import { type Client, hasReason } from './client.ts'
import type { Resource } from './resource.ts'

export interface LeaderElectionOptions {
  readonly client: Client
  /** Name and namespace of the Lease. */
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Unique among those who compete. */
  readonly identity: string
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds; upstream's 15 s, 10 s and 2 s by default. */
  readonly leaseDuration?: number
  readonly renewDeadline?: number
  readonly retryPeriod?: number
}

const LEASES: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  apiVersion: 'coordination.k8s.io/v1',
  key: 'coordination.k8s.io/v1/leases',
}

/**
 * Runs `work` whenever this process leads, until `signal` aborts; then gives the lease back. `work` must return soon
 * after its own signal aborts; when it returns earlier, leadership is given up and competed for again.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { client, lease: ref, identity, clock, logger } = options
  const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options
  const leases = client.kind(LEASES)
  let observed = { version: '', at: 0 }

  /** Takes or renews the lease; false when another one holds it. */
  async function acquire(): Promise<boolean> {
    const time = rfc3339Micro(clock.now())
    const spec = { holderIdentity: identity, leaseDurationSeconds: leaseDuration / 1000, renewTime: time }
    const found = await leases.find(ref)
    if (!found) {
      const metadata = { name: ref.name, namespace: ref.namespace }
      await leases.create({
        apiVersion: LEASES.apiVersion,
        kind: LEASES.kind,
        metadata,
        spec: { ...spec, acquireTime: time, leaseTransitions: 0 },
      })
      return true
    }
    const version = found.metadata?.resourceVersion ?? ''
    if (version !== observed.version) observed = { version, at: clock.elapsed() }
    const holder = found.spec?.holderIdentity
    const mine = holder === identity
    const duration = (found.spec?.leaseDurationSeconds ?? leaseDuration / 1000) * 1000
    if (holder && !mine && observed.at + duration > clock.elapsed()) return false
    const transitions = (found.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1)
    const acquireTime = (mine && found.spec?.acquireTime) || time
    const next = structuredClone(found)
    next.spec = { ...next.spec, ...spec, acquireTime, leaseTransitions: transitions }
    await leases.update(next)
    return true
  }
  async function tryAcquire(): Promise<boolean> {
    try {
      return await acquire()
    } catch (error) {
      if (!hasReason(error, 'Conflict', 'AlreadyExists')) {
        logger.warn({ err: error, lease: ref.name }, 'the lease could not be taken or renewed')
      }
      return false
    }
  }
  async function release() {
    try {
      const found = await leases.find(ref)
      if (found?.spec?.holderIdentity !== identity) return
      const next = structuredClone(found)
      next.spec = { ...next.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: rfc3339Micro(clock.now()) }
      await leases.update(next)
    } catch (error) {
      logger.warn({ err: error, lease: ref.name }, 'the lease could not be given back')
    }
  }
  async function renewUntilLost(scope: AbortController) {
    let renewed = clock.elapsed()
    while (!scope.signal.aborted) {
      await sleep(clock, retryPeriod, scope.signal)
      if (scope.signal.aborted) return
      if (await tryAcquire()) renewed = clock.elapsed()
      else if (clock.elapsed() - renewed >= renewDeadline) {
        logger.error({ lease: ref.name }, 'leadership was lost')
        scope.abort()
      }
    }
  }

  while (!signal.aborted) {
    if (!(await tryAcquire())) {
      await sleep(clock, retryPeriod, signal)
      continue
    }
    const scope = new AbortController()
    const end = () => scope.abort()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) scope.abort()
    logger.info({ lease: ref.name, identity }, 'leading')
    const renewing = renewUntilLost(scope)
    try {
      await work(scope.signal)
    } finally {
      scope.abort()
      signal.removeEventListener('abort', end)
      await renewing
      await release()
    }
  }
}
