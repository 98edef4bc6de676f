/** What carries services on a node: the proxies kept up to date, the ports of health checks, load balancers. */
import type { EventRecorder } from '../client/event-recorder.ts'
import { keyOf } from '../client/informer-types.ts'
import { listenOn } from '../lib/listen.ts'
import type { Catalog } from './catalog.ts'
import { type HostListen, type LoadBalancers, startLoadBalancers } from './load-balancer/load-balancers.ts'
import { poolAddresses } from './load-balancer/pool-addresses.ts'
import type { NetworkApi, NetworkDeps, NetworkOptions, Parts } from './parts.ts'
import { startHealthChecks } from './service-proxy/health-checks.ts'
import { type FollowedPlace, followPlace } from './service-proxy/place.ts'
import type { ServiceProxy } from './service-proxy/proxy.ts'
import { LOOPBACK } from './service-proxy/service-ports.ts'
import { startProxySync } from './service-proxy/sync.ts'

export interface ServicesDeps extends NetworkDeps {
  readonly api: NetworkApi
  readonly parts: Parts
  readonly catalog: Catalog
  /** This machine's addresses towards pods. */
  readonly nodeAddresses: readonly string[]
  /** Of load balancers. */
  readonly events: EventRecorder
}

export interface Services {
  readonly place: FollowedPlace
  /** Where a program of this machine reaches a port, when that is not the service's own address. */
  readonly locate: ServiceProxy['localAddress']
  /** Resolves when the services known at the call are in the data plane. */
  synced(): Promise<unknown>
  /** The same, with ports, addresses and statuses of load balancers. */
  idle(): Promise<void>
  /** Closes listeners. */
  close(): void
}

/** On a machine that does not lead, they are told of by the one that does. */
const NO_LOAD_BALANCERS: LoadBalancers = { idle: async () => {}, close() {} }

/** Listening in this process' own network. */
const listenHere =
  (hosts: readonly string[]): HostListen =>
  (port, onConnection) =>
    listenOn(hosts, port, onConnection)

/** Every address of the machine, of the families that it has to do with. */
const everywhere = (addresses: readonly string[]) =>
  addresses.some(address => address.includes(':')) ? ['::'] : ['0.0.0.0']

/** Tells of load balancers for the cluster. */
function startBalancing(
  options: NetworkOptions,
  { api, parts, catalog, events, ...deps }: ServicesDeps,
  { addresses, locate }: Pick<Services, 'locate'> & { readonly addresses: readonly [string, ...string[]] },
  signal: AbortSignal,
): LoadBalancers {
  return startLoadBalancers(
    {
      ...deps,
      catalog,
      client: api.client,
      events,
      // Whoever is on the machine itself goes on using its loopback.
      listen: options.listenOnHost ?? listenHere([...new Set([LOOPBACK, ...addresses])]),
      addresses,
      ...(options.addressPools?.length && { pool: poolAddresses(options.addressPools, catalog) }),
      locate: (service, port) => {
        const place = locate(keyOf(service), port, 'tcp')
        return place ? { address: place.host, port: place.port } : { address: service.spec!.clusterIP!, port }
      },
      allProtocols: parts.allProtocols,
      nodePorts: options.mode === 'rootless',
    },
    signal,
  )
}

/** Starts carrying; resolves when the services that are known are in the data plane. Ends with `signal`. */
export async function startServices(
  options: NetworkOptions,
  deps: ServicesDeps,
  signal: AbortSignal,
): Promise<Services> {
  const { api, parts, catalog, nodeAddresses, events, clock, logger } = deps
  const { exposed, machines, nodeName } = options
  const place = await followPlace(api.informers, nodeName)
  const leads = machines?.leads ?? true
  const addresses = machines?.addresses ?? ([LOOPBACK] as const)
  const here = () => ({ ...place.now(), ...(leads && machines && { alsoLoopback: addresses[0] }) })
  const shared = { clock, logger, catalog, place: here }
  const syncs = await Promise.all(parts.proxies.map(each => startProxySync({ ...shared, ...each }, signal)))
  place.follow(() => {
    for (const sync of syncs) sync.moved()
  })
  const synced = () => Promise.all(syncs.map(sync => sync.idle()))
  const locate: Services['locate'] = (...port) =>
    parts.proxies.map(({ proxy }) => proxy.localAddress(...port)).find(each => each !== undefined)
  const hosts = exposed ? everywhere(nodeAddresses) : [...new Set([LOOPBACK, ...nodeAddresses])]
  const checks = startHealthChecks({ ...shared, hosts }, signal)
  const announced = await parts.announce?.(api, catalog, events, signal)
  const balancers = leads ? startBalancing(options, deps, { addresses, locate }, signal) : NO_LOAD_BALANCERS
  return {
    place,
    locate,
    synced,
    async idle() {
      await synced()
      await Promise.all([balancers.idle(), checks.idle()])
      await announced?.idle()
      await synced()
    },
    close() {
      balancers.close()
      checks.close()
    },
  }
}
