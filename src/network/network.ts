/**
 * What a node does for traffic, put together: the pod network, the service proxy, load balancers and DNS. Starting has
 * two halves, because the API server listens on the node's address and the rest needs the API server:
 *
 *   const prepared = await prepareNetwork({ mode, … }, deps)      // the node's address exists now
 *   … the API server listens on 127.0.0.1 and prepared.nodeAddresses …
 *   const network = await prepared.start({ client, informers }, signal)
 *
 * `rootless` is the kernel network inside a namespace that the process is in already (`rootless/`).
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Service as ServiceType } from '../api/generated/types/core-v1.ts'
import { Service } from '../api/kinds/core/service.ts'
import { EndpointSlice } from '../api/kinds/discovery/endpoint-slice.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import { createCatalog } from './catalog.ts'
import type { NetworkMode } from './detect.ts'
import { prepareKernel } from './kernel-network.ts'
import {
  CLUSTER_DOMAIN,
  DNS_PORT,
  type NetworkApi,
  type NetworkDeps,
  type NetworkOptions,
  type Prepared,
} from './parts.ts'
import type { PodNetwork } from './pod-network/pod-network.ts'
import { startPortablePodNetwork } from './pod-network/portable.ts'
import { reportUnenforced } from './policy/enforce.ts'
import { type ServiceDirectory, serviceDirectory } from './service-directory.ts'
import { serviceVariables } from './service-env.ts'
import { createDeparture } from './service-proxy/departure.ts'
import { LOOPBACK } from './service-proxy/service-ports.ts'
import { createUserspaceProxy } from './service-proxy/userspace/proxy.ts'
import { startServices } from './services.ts'

export interface Network {
  /** For the agent: the contract `agent/pod-network.ts`. */
  readonly podNetwork: PodNetwork
  /** For the agent: the contract `agent/service-env.ts`. */
  serviceEnv(namespace: string, links: boolean): Readonly<Record<string, string>>
  /** For the gateway: the contract `gateway/backends/source.ts`. */
  readonly services: ServiceDirectory
  /** For `tutti status`. */
  describe(): { readonly mode: NetworkMode; readonly notes: readonly string[] }
  /** Resolves when the services known at the call are in the data plane. */
  idle(): Promise<void>
  /** Lets go of what the program holds. Pods' networks and the kernel's rules stay: traffic goes on. */
  close(): Promise<void>
}

export interface PreparedNetwork {
  readonly mode: NetworkMode
  /** Where pods reach programs of the node, one a family: the API server must listen there, too. */
  readonly nodeAddresses: readonly [string, ...string[]]
  start(api: NetworkApi, signal: AbortSignal): Promise<Network>
}

/** First half. Rejects when the mode is not possible after all. */
export async function prepareNetwork(options: NetworkOptions, deps: NetworkDeps): Promise<PreparedNetwork> {
  const { mode } = options
  const kernel = mode !== 'portable'
  const prepare = kernel ? await prepareKernel(options, deps) : preparePortable(options, deps)
  return {
    mode,
    nodeAddresses: prepare.nodeAddresses as [string, ...string[]],
    async start(api, signal) {
      const { client, informers } = api
      const parts = await prepare.start(signal)
      const catalog = createCatalog(
        { services: informers.of<ServiceType>(Service), endpointSlices: informers.of<EndpointSlice>(EndpointSlice) },
        signal,
      )
      await catalog.synced()
      const events = (component: string) => createEventRecorder(client.transport, { component }, deps, signal)
      await parts.followMachines?.(api, signal)
      const dns = await parts.startDns?.(api, catalog)
      const [policies] = await Promise.all([
        parts.enforcePolicies?.(informers, dns?.port ?? DNS_PORT),
        parts.keep?.(events('network'), signal),
      ])
      if (!policies) reportUnenforced(informers, events('network-policy-controller'), NO_POLICIES)
      const balancing = events('service-lb-controller')
      const carried = { ...deps, api, parts, catalog, nodeAddresses: prepare.nodeAddresses, events: balancing }
      const services = await startServices(options, carried, signal)
      const { synced } = services
      const podNetwork = policies?.protect(parts.podNetwork) ?? parts.podNetwork
      return {
        podNetwork: { ...podNetwork, leave: createDeparture({ ...deps, catalog, synced }, signal) },
        services: serviceDirectory(catalog, services.place.now),
        serviceEnv(namespace, links) {
          const own = links ? catalog.services(namespace) : []
          const first = catalog.service('default/kubernetes')
          return serviceVariables(first && !own.includes(first) ? [first, ...own] : own, services.locate)
        },
        describe: () => ({ mode, notes: [...prepare.notes, ...(options.notes ?? [])] }),
        async idle() {
          await policies?.idle()
          await services.idle()
        },
        async close() {
          services.close()
          await dns?.close()
          await synced()
          for (const { proxy } of parts.proxies) await proxy.close()
          parts.close()
        },
      }
    },
  }
}

const NO_POLICIES = 'pods share the loopback of this machine, on which nobody is told apart'

function preparePortable(options: NetworkOptions, deps: NetworkDeps): Prepared {
  const directory = join(options.dataDir, 'network')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    nodeAddresses: [LOOPBACK],
    notes: [
      'portable: pods share the loopback of this machine; a pod listens on the port in PORT, and finds services by the variables {NAME}_SERVICE_HOST and {NAME}_SERVICE_PORT (no cluster DNS)',
      `portable: NetworkPolicies have no effect: ${NO_POLICIES}`,
    ],
    start: async () => ({
      podNetwork: startPortablePodNetwork(join(directory, 'ports'), options.clusterDomain ?? CLUSTER_DOMAIN),
      proxies: [{ family: 'IPv4', proxy: createUserspaceProxy({ file: join(directory, 'service-ports.json') }, deps) }],
      allProtocols: false,
      close() {},
    }),
  }
}
