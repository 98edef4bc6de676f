/** What `/configz` says: this node in the words of a kubelet's configuration (kubelet.config.k8s.io/v1beta1). Pure. */
import type { PodNetwork } from '../pod-network.ts'
import type { NodeSettings } from '../settings.ts'
import type { Machine } from './machine.ts'
import { LEASE_SECONDS } from './registration.ts'

export interface Configured {
  readonly podNetwork: Pick<PodNetwork, 'dns'>
  readonly podCidr?: string
  readonly machine: Pick<Machine, 'capacity'>
  readonly settings: Pick<NodeSettings, 'shutdown' | 'podPids'>
  /** Where the node listens, if it does. */
  readonly port: number | undefined
}

export const kubeletConfiguration = ({ podNetwork, podCidr, machine, settings, port }: Configured): object => ({
  kind: 'KubeletConfiguration',
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  ...(port !== undefined && { port, readOnlyPort: 0 }),
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true, cacheTTL: '2m0s' } },
  authorization: { mode: 'Webhook', webhook: { cacheAuthorizedTTL: '5m0s', cacheUnauthorizedTTL: '30s' } },
  maxPods: Number(machine.capacity.pods),
  podPidsLimit: settings.podPids ?? -1,
  ...(podCidr && { podCIDR: podCidr }),
  clusterDomain: podNetwork.dns.clusterDomain,
  clusterDNS: podNetwork.dns.servers,
  nodeLeaseDurationSeconds: LEASE_SECONDS,
  serverTLSBootstrap: true,
  rotateCertificates: true,
  ...(settings.shutdown.length > 0 && {
    shutdownGracePeriodByPodPriority: settings.shutdown.map(({ priority, seconds }) => ({
      priority,
      shutdownGracePeriodSeconds: seconds,
    })),
  }),
})
