/**
 * Carries changes from the catalog to a proxy: everything once at the start, then only the services that changed,
 * those of one turn of the event loop together. While one change is being made, the next gather.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Catalog } from '../catalog.ts'
import type { Family, Place } from './endpoints.ts'
import type { ServiceChanges, ServiceProxy } from './proxy.ts'
import { servicePorts } from './service-ports.ts'

/** Milliseconds before a failed change is tried again, as a whole. */
const RETRY = 1000

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
  let whole = true
  let running: Promise<void> | undefined

  function portsOf(key: string) {
    const service = catalog.service(key)
    return service ? servicePorts(service, catalog.slices(key), place(), family) : []
  }
  const changesOf = (keys: Iterable<string>): ServiceChanges => new Map([...keys].map(key => [key, portsOf(key)]))

  async function pass(): Promise<void> {
    const keys = dirty
    dirty = new Set()
    const reset = whole
    whole = false
    try {
      if (reset)
        await proxy.reset(
          changesOf(catalog.services().map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`)),
        )
      else await proxy.apply(changesOf(keys))
    } catch (error) {
      logger.error(
        { error, services: keys.size },
        'network: services could not be brought up to date, building all anew',
      )
      whole = true
      if (reset) clock.after(RETRY, () => wake())
      else wake()
    }
  }

  async function work(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    while ((dirty.size > 0 || whole) && !signal.aborted) {
      const failing = whole
      await pass()
      if (failing && whole) break
    }
    running = undefined
  }
  function wake() {
    if (!signal.aborted) running ??= work()
  }

  await catalog.synced()
  catalog.follow(key => {
    dirty.add(key)
    wake()
  })
  wake()
  await running
  return {
    async idle() {
      while (running) await running
    },
    moved() {
      whole = true
      wake()
    },
  }
}
