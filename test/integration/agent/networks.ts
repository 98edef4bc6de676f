/** Networks of pods for tests of the agent, without anything of the kernel's. */
import type { PodNetwork } from '../../../src/agent/pod-network.ts'

/** For runtimes that have a network of their own. */
export const noNetwork: PodNetwork = {
  setup: () => Promise.reject(new Error('not asked for')),
  teardown: async () => {},
  dns: { servers: [], clusterDomain: 'cluster.local' },
  list: async () => [],
}

/** Every pod has the machine's own network. */
export const hostNetwork: PodNetwork = { ...noNetwork, setup: async () => ({ ips: ['127.0.0.1'] }) }
