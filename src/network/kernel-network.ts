/**
 * The network in the kernel, put together: for each family of addresses the pods' links, the tables of rules and the
 * service proxy; and one DNS server. `rootless` is the same inside a namespace that the process is in already.
 */

import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Node as NodeType } from '../api/generated/types/core-v1.ts'
import { Node } from '../api/kinds/core/node.ts'
import type { EventRecorder } from '../client/event-recorder.ts'
import { nodeTarget } from '../client/event-target.ts'
import type { Informers } from '../client/informers.ts'
import { formatCidr } from '../lib/ip-range.ts'
import { removeTree } from '../lib/mounts.ts'
import { SHARED_FOLDER } from '../lib/shared-folder.ts'
import type { Catalog } from './catalog.ts'
import type { NetworkMode } from './detect.ts'
import { createDnsCache } from './dns/cache.ts'
import { publishClusterDns } from './dns/cluster-dns.ts'
import { createHandler } from './dns/message.ts'
import { createNames } from './dns/names.ts'
import { followNodeServers } from './dns/node-servers.ts'
import { startDnsServer } from './dns/server.ts'
import { followDnsSettings } from './dns/settings.ts'
import { createUpstream } from './dns/upstream.ts'
import { openFirewalls } from './firewall.ts'
import { createGuard, type Guard, type GuardDeps } from './guard/guard.ts'
import { removeKernelNetwork, restoreWays, setUpKernel } from './kernel-setup.ts'
import { type FamilyLayout, layoutOf } from './layout.ts'
import { startAnnouncing, withdrawAll } from './load-balancer/announce.ts'
import {
  CLUSTER_DOMAIN,
  DNS_PORT,
  type NetworkApi,
  type NetworkDeps,
  type NetworkOptions,
  type Prepared,
} from './parts.ts'
import { startKernelPodNetwork } from './pod-network/kernel.ts'
import { startRoutes } from './pod-network/routes/routes.ts'
import { LINK_PREFIX } from './pod-network/ruleset.ts'
import { allPolicies, enforcePolicies } from './policy/enforce.ts'
import { noTable } from './policy/ruleset.ts'
import { createNftablesProxy } from './service-proxy/nftables/proxy.ts'
import { createConntrack, hasConntrack } from './tools/conntrack.ts'
import { startIp } from './tools/ip.ts'
import { removeMemoryFolder } from './tools/memory-folder.ts'
import { type Nft, startNft } from './tools/nft.ts'

/** Places for pods that are made ahead; they cost no time of the processor once made. */
const SPARES = 4
const POD_CIDR = '10.244.0.0/24'
const SERVICE_CIDR = '10.96.0.0/16'

const ROOTLESS_LIMITS =
  'rootless: pods reach each other, services and the API server, but nothing outside this machine (a way out needs root)'

const NO_CONNTRACK =
  'UDP clients that go on sending to a service stay with an endpoint that is gone (the program conntrack forgets such flows: install it)'

/**
 * Where network namespaces of pods are kept: a directory of this cluster alone, which a reboot empties as it ends the
 * namespaces. For a look inside: `ip -n DIRECTORY/tutti-POD_UID address`.
 */
const netnsDirectory = (mode: NetworkMode, dataDir: string) =>
  mode === 'kernel'
    ? join(SHARED_FOLDER, `netns-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`)
    : join(dataDir, 'network', 'netns')

type Ranges = Pick<NetworkOptions, 'podCidr' | 'serviceCidr' | 'machines'>

function layoutFor({ podCidr = POD_CIDR, serviceCidr = SERVICE_CIDR, machines }: Ranges): readonly FamilyLayout[] {
  const layout = layoutOf({ podCidr, serviceCidr, ...(machines && { clusterCidr: machines.clusterCidr }) })
  if (layout.length === 0)
    throw new Error(`pods of ${podCidr} have no family in common with services of ${serviceCidr}`)
  return layout
}

/** Which addresses of pools are on this machine. */
const announcedFile = (dataDir: string) => join(dataDir, 'network', 'announced.json')

/** Takes the kernel network of a cluster, or of a node that joined one, off the machine. */
export async function removeNetwork(
  options: Pick<NetworkOptions, 'dataDir' | 'podCidr' | 'serviceCidr'>,
): Promise<void> {
  await removeKernelNetwork(layoutFor(options))
  await removeOwnParts(options.dataDir)
}

/**
 * Takes away what is of one cluster alone: addresses of its load balancers, and namespaces of its pods. Another may have
 * the rest by now.
 */
export async function removeOwnParts(dataDir: string): Promise<void> {
  await withdrawAll(announcedFile(dataDir))
  removeMemoryFolder(join(dataDir, 'network'))
  await removeTree(netnsDirectory('kernel', dataDir))
}

/** How policies are held, once there is one. */
function policyEnforcement(
  layout: readonly FamilyLayout[],
  { nft, guard }: { readonly nft: Nft; readonly guard: Guard },
  { nodeName }: NetworkOptions,
  deps: NetworkDeps,
  signal: AbortSignal,
) {
  return (informers: Informers, dnsPort: number) =>
    enforcePolicies(
      informers,
      {
        ...deps,
        clear: () => nft.change(layout.map(({ family }) => noTable(family)).join('\n')),
        async start() {
          const { startPolicies } = await import('./policy/start.ts')
          const { dnsPlace } = await import('./policy/dns-place.ts')
          const attempt = new AbortController()
          const scope = AbortSignal.any([signal, attempt.signal])
          const started = layout.map(({ family, nodeAddress, dnsService }) => {
            const dns = dnsPlace(nodeAddress, dnsPort, dnsService)
            return startPolicies({ ...deps, informers, nft, guard, nodeName, family, dns }, scope)
          })
          try {
            return allPolicies(await Promise.all(started))
          } catch (error) {
            // What follows in one family must not go on when the other is tried again.
            attempt.abort()
            throw error
          }
        },
      },
      signal,
    )
}

/** Starts the node's DNS server, at the first family's address, and tells the cluster of it. */
async function startNodeDns(
  layout: readonly FamilyLayout[],
  { nodeName, clusterDomain = CLUSTER_DOMAIN, machines }: NetworkOptions,
  deps: NetworkDeps,
  { client, informers }: NetworkApi,
  catalog: Catalog,
) {
  const { nodeAddress, dnsService } = layout[0]!
  const names = createNames(catalog, {
    domain: clusterDomain,
    ranges: layout.flatMap(({ clusterCidr, serviceCidr }) => [formatCidr(clusterCidr), serviceCidr]),
    server: dnsService,
  })
  const settings = await followDnsSettings(informers, deps.logger)
  const outside = createUpstream({ file: '/etc/resolv.conf', own: [dnsService], settings }, deps)
  const upstream = { ...outside, ask: createDnsCache(outside.ask, deps.clock) }
  const handle = createHandler(names, clusterDomain)
  const dns = await startDnsServer(nodeAddress, DNS_PORT, { ...deps, handle, upstream })
  const own = { clusterIp: dnsService, address: nodeAddress, port: dns.port, nodeName }
  if (machines?.leads ?? true) await publishClusterDns(client, { ...own, ownNodeOnly: machines !== undefined })
  return dns
}

/** Says at the node what another program did to its network. */
function tellOfChanges(changes: Parameters<GuardDeps['told']>[0], nodeName: string, events: EventRecorder): void {
  const [reason, message] =
    'tables' in changes
      ? ['NetworkRulesChanged', `nftables' ${changes.tables.map(table => `table ${table}`).join(', ')}: built anew`]
      : ['NetworkWaysRemoved', `${changes.missing.join(', ')}: there again`]
  events.event(nodeTarget(nodeName), 'Warning', reason!, `Another program changed or removed ${message}.`)
}

/** First half of the start. Rejects when the mode is not possible after all. */
export async function prepareKernel(options: NetworkOptions, deps: NetworkDeps): Promise<Prepared> {
  const {
    exposed = false,
    foreignPods = false,
    mode,
    dataDir,
    nodeName,
    machines,
    clusterDomain = CLUSTER_DOMAIN,
  } = options
  const layout = layoutFor(options) as readonly [FamilyLayout, ...FamilyLayout[]]
  const families = layout.map(({ family }) => family)
  const [first] = layout
  const directory = join(dataDir, 'network')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const [{ mtu, notes }, tracked] = await Promise.all([
    setUpKernel({ layout, ...(machines && { uplinkAddress: machines.addresses[0] }) }, deps),
    hasConntrack(),
  ])

  return {
    nodeAddresses: layout.map(({ nodeAddress }) => nodeAddress),
    notes: [...notes, ...(mode === 'rootless' ? [ROOTLESS_LIMITS] : []), ...(tracked ? [] : [NO_CONNTRACK])],
    async start(signal) {
      const [ip, nft, guard] = [startIp(), startNft(directory), createGuard()]
      const open = new AbortController()
      const guarded = { ...deps, nft, guard }
      guard.look('ways', () => restoreWays(layout, ip))
      const podNetwork = await startKernelPodNetwork(
        {
          ranges: layout,
          directory: join(directory, 'pods'),
          netnsDirectory: options.netnsDirectory ?? netnsDirectory(mode, dataDir),
          mtu,
          dns: { servers: [first.dnsService], clusterDomain },
          exposed,
          spares: SPARES,
        },
        { ...guarded, ip },
        signal,
      )
      return {
        podNetwork,
        proxies: layout.map(({ family, serviceCidr, nodeAddress }) => ({
          family,
          proxy: createNftablesProxy(
            { family, serviceCidr, podLinks: `"${LINK_PREFIX}*"`, nodeAddress, exposed, foreignPods },
            { ...guarded, ...(tracked && { conntrack: createConntrack(family) }) },
          ),
        })),
        allProtocols: mode === 'kernel',
        enforcePolicies: policyEnforcement(layout, guarded, options, deps, signal),
        startDns: (api, catalog) => startNodeDns(layout, options, deps, api, catalog),
        keep: (events, scope) =>
          guard.start(
            {
              ...guarded,
              openFirewalls: async () => void (await openFirewalls(families, deps)),
              told: changes => tellOfChanges(changes, nodeName, events),
            },
            AbortSignal.any([scope, open.signal]),
          ),
        ...(machines && {
          async announce(
            { client, informers }: NetworkApi,
            catalog: Catalog,
            events: EventRecorder,
            scope: AbortSignal,
          ) {
            const nodes = informers.of<NodeType>(Node)
            const file = announcedFile(dataDir)
            return startAnnouncing({ ...deps, catalog, nodes, nodeName, file, client, events, ip }, scope)
          },
          async followMachines({ client, informers }: NetworkApi, scope: AbortSignal) {
            const { addresses, leads } = machines
            const nodes = informers.of<NodeType>(Node)
            const self = {
              name: nodeName,
              address: addresses[0],
              podCidrs: layout.map(({ podCidr }) => formatCidr(podCidr)),
            }
            const clusterCidrs = layout.map(({ clusterCidr }) => formatCidr(clusterCidr))
            await startRoutes({ ...guarded, nodes, self, clusterCidrs, mtu, ip }, scope)
            const servers = { nodes, nodeName, clusterIp: first.dnsService, port: DNS_PORT, ...deps }
            if (leads) await followNodeServers({ ...servers, client, family: first.family }, scope)
          },
        }),
        close() {
          open.abort()
          ip.close()
          nft.close()
        },
      }
    },
  }
}
