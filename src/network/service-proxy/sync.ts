/**
 * Carries changes from the catalog to a proxy: everything once at the start, then only the services that changed.
 */
import { keyOf } from '../../client/informer-types.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Family } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import type { Catalog } from '../catalog.ts'
import { createRounds } from '../rounds.ts'
import type { Place } from './endpoints.ts'
import type { ServiceChanges, ServiceProxy } from './proxy.ts'
import { servicePorts } from './service-ports.ts'

export interface ProxySync {
  /** Resolves when everything that was known at the call is in the data plane. */
  idle(): Promise<void>
  /** The node is elsewhere now: every service is looked at again. */
  moved(): void
}

export interface ProxySyncDeps {
  readonly catalog: Catalog
  readonly proxy: ServiceProxy
  /** Addresses that the proxy carries. Default: IPv4. */
  readonly family?: Family
  /** Where the node is now. Default: the machine is the cluster. */
  place?(): Place
  readonly clock: Clock
  readonly logger: Logger
}

/** Starts carrying; resolves when the first state is in the data plane. Ends with the signal. */
export async function startProxySync(deps: ProxySyncDeps, signal: AbortSignal): Promise<ProxySync> {
  const { catalog, proxy, family = 'IPv4', place = () => ({}), clock, logger } = deps
  let dirty = new Set<string>()

  function portsOf(key: string) {
    const service = catalog.service(key)
    return service ? servicePorts(service, catalog.slices(key), place(), family) : []
  }
  const changesOf = (keys: Iterable<string>): ServiceChanges => new Map([...keys].map(key => [key, portsOf(key)]))

  const rounds = createRounds(
    {
      isDirty: () => dirty.size > 0,
      make(whole) {
        const keys = dirty
        dirty = new Set()
        if (!whole) return proxy.apply(changesOf(keys))
        return proxy.reset(changesOf(catalog.services().map(keyOf)))
      },
      failed: error =>
        logger.error({ err: error }, 'network: services could not be brought up to date, building all anew'),
      clock,
    },
    signal,
  )

  await catalog.synced()
  catalog.follow(key => {
    dirty.add(key)
    rounds.wake()
  })
  proxy.onLoss?.(rounds.wakeWhole)
  rounds.wake()
  await rounds.idle()
  return { idle: rounds.idle, moved: rounds.wakeWhole }
}
