/**
 * Whether policies are enforced: from the first one on, where the network can; where it cannot, each policy gets an event
 * that says so, as nothing else would.
 */
import type { NetworkPolicy as NetworkPolicyType } from '../../api/generated/types/networking-v1.ts'
import { NetworkPolicy } from '../../api/kinds/networking/network-policy.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import type { Informers } from '../../client/informers.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { PodNetwork } from '../pod-network/pod-network.ts'
import type { Policies } from './start.ts'

export interface Enforcement {
  /** The pod network whose pods are protected before they start. */
  protect(network: PodNetwork): PodNetwork
  idle(): Promise<void>
}

export interface EnforcementDeps {
  /** Called for the first policy. */
  start(): Promise<Policies>
  /** Called where there is none: takes away what an earlier run may have left. */
  clear(): Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

/** Policies that hold where all of these do: one a family. */
export const allPolicies = (each: readonly Policies[]): Policies => ({
  async protect(pod, addresses) {
    await Promise.all(each.map(policies => policies.protect(pod, addresses)))
  },
  release(uid) {
    for (const policies of each) policies.release(uid)
  },
  async idle() {
    await Promise.all(each.map(policies => policies.idle()))
  },
})

/** Between two starts that fail, ms. */
const RETRY_MS = 1000
const RETRY_MAX_MS = 60_000

/**
 * Follows policies until `signal` aborts; resolves when those that are there hold, or the first start failed. It is tried
 * again then, and no pod starts before one succeeded: a policy that nobody enforces is worse than a pod that waits.
 */
export async function enforcePolicies(
  informers: Informers,
  { start, clear, clock, logger }: EnforcementDeps,
  signal: AbortSignal,
): Promise<Enforcement> {
  const policies = informers.of<NetworkPolicyType>(NetworkPolicy)
  await policies.synced()
  if (policies.list().length === 0) await clear()
  let starting: Promise<Policies | undefined> | undefined
  const { promise: tried, resolve: wasTried } = Promise.withResolvers<void>()
  async function untilStarted(): Promise<Policies | undefined> {
    const backOff = createBackOff(RETRY_MS, RETRY_MAX_MS)
    while (!signal.aborted) {
      try {
        return await start()
      } catch (error) {
        const retryInMs = backOff.next()
        logger.error({ err: error, retryInMs }, 'network: policies are not enforced, no pod starts until they are')
        wasTried()
        await sleep(clock, retryInMs, signal)
      }
    }
    return undefined
  }
  const end = policies.onChange(() => {
    starting ??= untilStarted()
  })
  if (starting) {
    end()
    await Promise.race([starting, tried])
  }
  return {
    protect: network => ({
      ...network,
      async setup(pod) {
        const addresses = await network.setup(pod)
        await (await starting)?.protect(pod, addresses.ips)
        return addresses
      },
      async teardown(uid) {
        await network.teardown(uid)
        void starting?.then(started => started?.release(uid))
      },
    }),
    async idle() {
      await (await starting)?.idle()
    },
  }
}

/** Says at every policy that it is not enforced. */
export function reportUnenforced(informers: Informers, events: EventRecorder, why: string): void {
  informers.of<NetworkPolicyType>(NetworkPolicy).onChange(({ previous, current }) => {
    if (!previous && current)
      events.event(current, 'Warning', 'NetworkPolicyNotEnforced', `The policy has no effect: ${why}`)
  })
}
