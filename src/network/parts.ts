/** The pieces of a node's network, and what they are made of: shared by the modes. */
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'
import type { Family } from '../lib/ip-range.ts'
import type { Logger } from '../lib/log.ts'
import type { Catalog } from './catalog.ts'
import type { NetworkMode } from './detect.ts'
import type { DnsServer } from './dns/server.ts'
import type { Announcements } from './load-balancer/announce.ts'
import type { HostListen } from './load-balancer/load-balancers.ts'
import type { AddressPool } from './load-balancer/pools.ts'
import type { PodNetwork } from './pod-network/pod-network.ts'
import type { Enforcement } from './policy/enforce.ts'
import type { ServiceProxy } from './service-proxy/proxy.ts'

export interface NetworkOptions {
  readonly mode: NetworkMode
  readonly dataDir: string
  readonly nodeName: string
  /** Ranges of this node's pods, one a family. Default 10.244.0.0/24; the second address of each is the node's. */
  readonly podCidr?: string
  /** Networks of services, one a family. Default 10.96.0.0/16; the eleventh address of the first is the cluster's DNS. */
  readonly serviceCidr?: string
  /** Default `cluster.local`. */
  readonly clusterDomain?: string
  /** Node ports, and host ports without an address, answer from outside the machine, too. Default: no. */
  readonly exposed?: boolean
  /** Containers may have a network that somebody else's CNI plugins make: they reach services all the same. */
  readonly foreignPods?: boolean
  /** Rootless: how to listen on the loopback of the machine, outside the namespace (`rootless/porter.ts`). */
  readonly listenOnHost?: HostListen
  /** Where namespaces of pods are kept. Default: under `/run/tutti`, or in dataDir when rootless. */
  readonly netnsDirectory?: string
  /** Addresses for services of type LoadBalancer; none: they have this machine's. */
  readonly addressPools?: readonly AddressPool[]
  /** Why the mode is not a better one (`detect.ts`), for `describe`. */
  readonly notes?: readonly string[]
  /** The cluster has, or may get, nodes on other machines; kernel mode only. */
  readonly machines?: {
    /** The ranges of all nodes, one a family: `10.244.0.0/16`. */
    readonly clusterCidr: string
    /** This machine's addresses, as the others reach it, one a family. */
    readonly addresses: readonly [string, ...string[]]
    /** This is the machine of the API server, which tells services' addresses for all. */
    readonly leads: boolean
  }
}

export interface NetworkDeps {
  readonly clock: Clock
  readonly logger: Logger
}

/** The ways to the API server. */
export interface NetworkApi {
  readonly client: Client
  readonly informers: Informers
}

/** Under which the names of a cluster lie where nothing was said. */
export const CLUSTER_DOMAIN = 'cluster.local'

/** Where the DNS server listens on the node's address; the service's port 53 leads there. */
export const DNS_PORT = 10_053

/** What runs, of one mode. */
export interface Parts {
  readonly podNetwork: PodNetwork
  /** One for each family of addresses that is carried. */
  readonly proxies: readonly { readonly family: Family; readonly proxy: ServiceProxy }[]
  readonly allProtocols: boolean
  /** Starts to hold pods to policies; absent where that is not possible. */
  enforcePolicies?(informers: Informers, dnsPort: number): Promise<Enforcement>
  /** Starts the DNS server; absent where pods have no way to ask it. */
  startDns?(api: NetworkApi, catalog: Catalog): Promise<DnsServer>
  /** Starts putting addresses of load balancers on this machine; absent where nobody outside would find them. */
  announce?(api: NetworkApi, catalog: Catalog, events: EventRecorder, signal: AbortSignal): Promise<Announcements>
  /** Starts following the other machines; absent where there are none. */
  followMachines?(api: NetworkApi, signal: AbortSignal): Promise<void>
  /** Starts restoring what other programs take out of the kernel; absent where nothing is there. */
  keep?(events: EventRecorder, signal: AbortSignal): Promise<void>
  close(): void
}

/** A mode whose first half is done. */
export interface Prepared {
  /** This machine's addresses towards pods, one a family. */
  readonly nodeAddresses: readonly string[]
  readonly notes: readonly string[]
  start(signal: AbortSignal): Promise<Parts>
}
