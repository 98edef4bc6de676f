/**
 * Whether policies are enforced: from the first one on, where the network can; where it cannot, each policy gets an event
 * that says so, as nothing else would.
 */
import type { NetworkPolicy as NetworkPolicyType } from '../../api/generated/types/networking-v1.ts'
import { NetworkPolicy } from '../../api/kinds/networking/network-policy.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import type { Informers } from '../../client/informers.ts'
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
  readonly logger: Logger
}

/** Follows policies; resolves when those that are there hold. */
export async function enforcePolicies(
  informers: Informers,
  { start, clear, logger }: EnforcementDeps,
): Promise<Enforcement> {
  const policies = informers.of<NetworkPolicyType>(NetworkPolicy)
  await policies.synced()
  if (policies.list().length === 0) await clear()
  let starting: Promise<Policies | undefined> | undefined
  const end = policies.onChange(() => {
    starting ??= start().catch(error => {
      logger.error({ error }, 'network: policies are not enforced')
      return undefined
    })
  })
  await starting
  if (starting) end()
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
        ;(await starting)?.release(uid)
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
