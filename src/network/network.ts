/**
 * What a node does for traffic, put together: the pod network, the service proxy, load balancers and DNS. Starting has
 * two halves, because the API server listens on the node's address and the rest needs the API server:
 *
 *   const prepared = await prepareNetwork({ mode, … }, deps)      // the node's address exists now
 *   … the API server listens on 127.0.0.1 and prepared.nodeAddress …
 *   const network = await prepared.start({ client, informers }, signal)
 *
 * `rootless` is the kernel network inside a namespace that the process is in already (`rootless/`).
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Node as NodeType, Service as ServiceType } from '../api/generated/types/core-v1.ts'
import { Node } from '../api/kinds/core/node.ts'
import { Service } from '../api/kinds/core/service.ts'
import { EndpointSlice } from '../api/kinds/discovery/endpoint-slice.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import type { Informers } from '../client/informers.ts'
import type { Clock } from '../lib/clock.ts'
import { addressAt, parseCidr } from '../lib/ipv4.ts'
import { listenOn } from '../lib/listen.ts'
import type { Logger } from '../lib/log.ts'
import { type Catalog, createCatalog } from './catalog.ts'
import type { NetworkMode } from './detect.ts'
import { createDnsCache } from './dns/cache.ts'
import { publishClusterDns } from './dns/cluster-dns.ts'
import { createHandler } from './dns/message.ts'
import { createNames } from './dns/names.ts'
import { followNodeServers } from './dns/node-servers.ts'
import { type DnsServer, startDnsServer } from './dns/server.ts'
import { followDnsSettings } from './dns/settings.ts'
import { createUpstream } from './dns/upstream.ts'
import { removeKernelNetwork, setUpKernel } from './kernel-setup.ts'
import { type HostListen, LOOPBACK, type LoadBalancers, startLoadBalancers } from './load-balancer.ts'
import { startKernelPodNetwork } from './pod-network/kernel.ts'
import type { PodNetwork } from './pod-network/pod-network.ts'
import { startPortablePodNetwork } from './pod-network/portable.ts'
import { startRoutes } from './pod-network/routes/routes.ts'
import { LINK_PREFIX } from './pod-network/ruleset.ts'
import { type Enforcement, enforcePolicies, reportUnenforced } from './policy/enforce.ts'
import { noTable } from './policy/ruleset.ts'
import { type ServiceDirectory, serviceDirectory } from './service-directory.ts'
import { serviceVariables } from './service-env.ts'
import { startHealthChecks } from './service-proxy/health-checks.ts'
import { createNftablesProxy } from './service-proxy/nftables/proxy.ts'
import { followPlace } from './service-proxy/place.ts'
import type { ServiceProxy } from './service-proxy/proxy.ts'
import { startProxySync } from './service-proxy/sync.ts'
import { createUserspaceProxy } from './service-proxy/userspace/proxy.ts'
import { createConntrack, hasConntrack } from './tools/conntrack.ts'
import { startIp } from './tools/ip.ts'
import { startNft } from './tools/nft.ts'

export interface NetworkOptions {
  readonly mode: NetworkMode
  readonly dataDir: string
  readonly nodeName: string
  /** Default 10.244.0.0/24; its second address is the node's. */
  readonly podCidr?: string
  /** Default 10.96.0.0/16; its eleventh address is the cluster's DNS. */
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
  /** Why the mode is not a better one (`detect.ts`), for `describe`. */
  readonly notes?: readonly string[]
  /** The cluster has, or may get, nodes on other machines; kernel mode only. */
  readonly machines?: {
    /** The ranges of all nodes: 10.244.0.0/16. */
    readonly clusterCidr: string
    /** This machine's address, as the others reach it. */
    readonly address: string
    /** This is the machine of the API server, which tells services' addresses for all. */
    readonly leads: boolean
  }
}

export interface NetworkDeps {
  readonly clock: Clock
  readonly logger: Logger
}

export interface Network {
  /** For the agent: the contract `agent/pod-network.ts`. */
  readonly podNetwork: PodNetwork
  /** For the agent: the contract `agent/service-env.ts`. */
  serviceEnv(namespace: string, links: boolean): Readonly<Record<string, string>>
  /** For the gateway: the contract `gateway/backends/source.ts`. */
  readonly services: ServiceDirectory
  readonly nodeAddress: string
  /** For `tutti status`. */
  describe(): { readonly mode: NetworkMode; readonly notes: readonly string[] }
  /** Resolves when the services known at the call are in the data plane. */
  idle(): Promise<void>
  /** Lets go of what the program holds. Pods' networks and the kernel's rules stay: traffic goes on. */
  close(): Promise<void>
}

/** The ways to the API server. */
export interface NetworkApi {
  readonly client: Client
  readonly informers: Informers
}

export interface PreparedNetwork {
  readonly mode: NetworkMode
  /** Where pods reach programs of the node: the API server must listen there, too. */
  readonly nodeAddress: string
  start(api: NetworkApi, signal: AbortSignal): Promise<Network>
}

/** Where the DNS server listens on the node's address; the service's port 53 leads there. */
const DNS_PORT = 10_053
/** Places for pods that are made ahead; they cost no time of the processor once made. */
const SPARES = 4
const POD_CIDR = '10.244.0.0/24'
const SERVICE_CIDR = '10.96.0.0/16'
const nodeAddressIn = (podCidr: string) => addressAt(parseCidr(podCidr), 1)
/** Of the service range: as everywhere. */
const DNS_OFFSET = 10

/** On a machine that does not lead, they are told of by the one that does. */
const NO_LOAD_BALANCERS: LoadBalancers = { idle: async () => {}, close() {} }

/** Listening in this process' own network. */
const listenHere: HostListen = (port, onConnection) => listenOn([LOOPBACK], port, onConnection)

interface Parts {
  readonly podNetwork: PodNetwork
  readonly proxy: ServiceProxy
  readonly allProtocols: boolean
  /** Starts to hold pods to policies; absent where that is not possible. */
  enforcePolicies?(informers: Informers, dnsPort: number): Promise<Enforcement>
  /** Starts the DNS server; absent where pods have no way to ask it. */
  startDns?(api: NetworkApi, catalog: Catalog): Promise<DnsServer>
  /** Starts following the other machines; absent where there are none. */
  followMachines?(api: NetworkApi, signal: AbortSignal): Promise<void>
  close(): void
}

/** First half. Rejects when the mode is not possible after all. */
export async function prepareNetwork(options: NetworkOptions, deps: NetworkDeps): Promise<PreparedNetwork> {
  const { mode } = options
  const kernel = mode !== 'portable'
  const prepare = kernel ? await prepareKernel(options, deps) : preparePortable(options, deps)
  return {
    mode,
    nodeAddress: prepare.nodeAddress,
    async start({ client, informers }, signal) {
      const parts = await prepare.start(signal)
      const catalog = createCatalog(
        { services: informers.of<ServiceType>(Service), endpointSlices: informers.of<EndpointSlice>(EndpointSlice) },
        signal,
      )
      await catalog.synced()
      const events = (component: string) => createEventRecorder(client.transport, { component }, deps, signal)
      await parts.followMachines?.({ client, informers }, signal)
      const dns = await parts.startDns?.({ client, informers }, catalog)
      const policies = await parts.enforcePolicies?.(informers, dns?.port ?? DNS_PORT)
      if (!policies) reportUnenforced(informers, events('network-policy-controller'), NO_POLICIES)
      const place = await followPlace(informers, options.nodeName)
      const sync = await startProxySync({ ...deps, catalog, proxy: parts.proxy, place: place.now }, signal)
      place.follow(() => sync.moved())
      const hosts = options.exposed ? ['0.0.0.0'] : [...new Set([LOOPBACK, prepare.nodeAddress])]
      const checks = startHealthChecks({ ...deps, catalog, place: place.now, hosts }, signal)
      const leads = options.machines?.leads ?? true
      const loadBalancers = !leads
        ? NO_LOAD_BALANCERS
        : startLoadBalancers(
            {
              catalog,
              client,
              events: events('service-lb-controller'),
              logger: deps.logger,
              listen: options.listenOnHost ?? listenHere,
              locate: (service, port) => {
                const place = parts.proxy.localAddress(
                  `${service.metadata?.namespace}/${service.metadata?.name}`,
                  port,
                  'tcp',
                )
                return place ? { address: place.host, port: place.port } : { address: service.spec!.clusterIP!, port }
              },
              allProtocols: parts.allProtocols,
              nodePorts: mode === 'rootless',
            },
            signal,
          )
      return {
        podNetwork: policies?.protect(parts.podNetwork) ?? parts.podNetwork,
        nodeAddress: prepare.nodeAddress,
        services: serviceDirectory(catalog, place.now),
        serviceEnv(namespace, links) {
          const own = links ? catalog.services(namespace) : []
          const api = catalog.service('default/kubernetes')
          const locate = parts.proxy.localAddress
          return serviceVariables(api && !own.includes(api) ? [api, ...own] : own, locate)
        },
        describe: () => ({ mode, notes: [...prepare.notes, ...(options.notes ?? [])] }),
        async idle() {
          await policies?.idle()
          await sync.idle()
          await Promise.all([loadBalancers.idle(), checks.idle()])
          await sync.idle()
        },
        async close() {
          loadBalancers.close()
          checks.close()
          await dns?.close()
          await sync.idle()
          await parts.proxy.close()
          parts.close()
        },
      }
    },
  }
}

interface Prepared {
  readonly nodeAddress: string
  readonly notes: readonly string[]
  start(signal: AbortSignal): Promise<Parts>
}

async function prepareKernel(options: NetworkOptions, deps: NetworkDeps): Promise<Prepared> {
  const { podCidr = POD_CIDR, serviceCidr = SERVICE_CIDR, clusterDomain = 'cluster.local' } = options
  const { exposed = false, foreignPods = false, mode, dataDir, nodeName, machines } = options
  const [pods, services] = [parseCidr(podCidr), parseCidr(serviceCidr)]
  const nodeAddress = nodeAddressIn(podCidr)
  const clusterDns = addressAt(services, DNS_OFFSET)
  const directory = join(dataDir, 'network')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const [{ mtu, notes }, tracked] = await Promise.all([
    setUpKernel({ nodeAddress, serviceCidr, ...(machines && { uplinkAddress: machines.address }) }, deps),
    hasConntrack(),
  ])

  return {
    nodeAddress,
    notes: [...notes, ...(mode === 'rootless' ? [ROOTLESS_LIMITS] : []), ...(tracked ? [] : [NO_CONNTRACK])],
    async start(signal) {
      const [ip, nft] = [startIp(), startNft(directory)]
      const podNetwork = await startKernelPodNetwork(
        {
          podCidr: pods,
          nodeAddress,
          directory: join(directory, 'pods'),
          netnsDirectory: options.netnsDirectory ?? netnsDirectory(mode, dataDir),
          mtu,
          dns: { servers: [clusterDns], clusterDomain },
          exposed,
          ...(machines && { clusterCidr: parseCidr(machines.clusterCidr) }),
          spares: SPARES,
        },
        { ...deps, ip, nft },
        signal,
      )
      return {
        podNetwork,
        proxy: createNftablesProxy(
          { family: 'IPv4', serviceCidr, podLinks: `"${LINK_PREFIX}*"`, nodeAddress, exposed, foreignPods },
          { ...deps, nft, ...(tracked && { conntrack: createConntrack('ipv4') }) },
        ),
        allProtocols: mode === 'kernel',
        enforcePolicies: (informers, dnsPort) =>
          enforcePolicies(
            informers,
            {
              ...deps,
              clear: () => nft.change(noTable('IPv4')),
              async start() {
                const { startPolicies } = await import('./policy/start.ts')
                const { dnsPlace } = await import('./policy/dns-place.ts')
                const dns = dnsPlace(nodeAddress, dnsPort, clusterDns)
                return startPolicies({ ...deps, informers, nft, nodeName, family: 'IPv4', dns }, signal)
              },
            },
            signal,
          ),
        async startDns({ client, informers }, catalog) {
          const names = createNames(catalog, {
            domain: clusterDomain,
            ranges: [machines?.clusterCidr ?? podCidr, serviceCidr],
            server: clusterDns,
          })
          const settings = await followDnsSettings(informers, deps.logger)
          const outside = createUpstream({ file: '/etc/resolv.conf', own: [clusterDns], settings }, deps)
          const upstream = { ...outside, ask: createDnsCache(outside.ask, deps.clock) }
          const handle = createHandler(names, clusterDomain)
          const dns = await startDnsServer(nodeAddress, DNS_PORT, { ...deps, handle, upstream })
          const own = { clusterIp: clusterDns, address: nodeAddress, port: dns.port, nodeName }
          if (machines?.leads ?? true) await publishClusterDns(client, { ...own, ownNodeOnly: machines !== undefined })
          return dns
        },
        ...(machines && {
          async followMachines({ client, informers }: NetworkApi, scope: AbortSignal) {
            const { address, clusterCidr, leads } = machines
            const nodes = informers.of<NodeType>(Node)
            const self = { name: nodeName, address, podCidr }
            await startRoutes({ ...deps, nodes, self, clusterCidr, mtu, ip, nft }, scope)
            if (leads)
              await followNodeServers(
                { ...deps, client, nodes, nodeName, clusterIp: clusterDns, port: DNS_PORT },
                scope,
              )
          },
        }),
        close() {
          ip.close()
          nft.close()
        },
      }
    },
  }
}

const ROOTLESS_LIMITS =
  'rootless: pods reach each other, services and the API server, but nothing outside this machine (a way out needs root)'

const NO_POLICIES = 'pods share the loopback of this machine, on which nobody is told apart'

const NO_CONNTRACK =
  'UDP clients that go on sending to a service stay with an endpoint that is gone (the program conntrack forgets such flows: install it)'

/**
 * Where network namespaces of pods are kept: a directory of this cluster alone, which a reboot empties as it ends the
 * namespaces. For a look inside: `ip -n DIRECTORY/tutti-POD_UID address`.
 */
const netnsDirectory = (mode: NetworkMode, dataDir: string) =>
  mode === 'kernel'
    ? join('/run/tutti', `netns-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`)
    : join(dataDir, 'network', 'netns')

/** Takes the kernel network of a cluster, or of a node that joined one, off the machine. */
export const removeNetwork = ({
  dataDir,
  podCidr = POD_CIDR,
  serviceCidr = SERVICE_CIDR,
}: Pick<NetworkOptions, 'dataDir' | 'podCidr' | 'serviceCidr'>): Promise<void> =>
  removeKernelNetwork({
    nodeAddress: nodeAddressIn(podCidr),
    serviceCidr,
    netnsDirectory: netnsDirectory('kernel', dataDir),
  })

function preparePortable(options: NetworkOptions, deps: NetworkDeps): Prepared {
  const directory = join(options.dataDir, 'network')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    nodeAddress: LOOPBACK,
    notes: [
      'portable: pods share the loopback of this machine; a pod listens on the port in PORT, and finds services by the variables {NAME}_SERVICE_HOST and {NAME}_SERVICE_PORT (no cluster DNS)',
      `portable: NetworkPolicies have no effect: ${NO_POLICIES}`,
    ],
    start: async () => ({
      podNetwork: startPortablePodNetwork(join(directory, 'ports'), options.clusterDomain ?? 'cluster.local'),
      proxy: createUserspaceProxy({ file: join(directory, 'service-ports.json') }, deps),
      allProtocols: false,
      close() {},
    }),
  }
}
