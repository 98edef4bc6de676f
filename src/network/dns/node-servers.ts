/**
 * The DNS servers of a cluster's other machines, as endpoints of `kube-dns`: each node has one at the second address of
 * its range. Told for all of them in one place, which sees when a node falls silent; a node may not write that itself.
 */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { isNodeReady } from '../../api/kinds/core/node-ready.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer-types.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { addressAt, parseCidr } from '../../lib/ipv4.ts'
import type { Logger } from '../../lib/log.ts'
import { publishedSlices, publishNodeDns, sliceName, withdrawNodeDns } from './cluster-dns.ts'

export interface NodeServersDeps {
  readonly client: Client
  readonly nodes: Informer<Node>
  /** This machine's own is told elsewhere. */
  readonly nodeName: string
  readonly clusterIp: string
  readonly port: number
  readonly clock: Clock
  readonly logger: Logger
}

/** After a write that failed, ms. */
const RETRY_MS = 1000

/** Follows the nodes until `signal` aborts. */
export async function followNodeServers(deps: NodeServersDeps, signal: AbortSignal): Promise<void> {
  const { client, nodes, nodeName, clusterIp, port, clock, logger } = deps
  const dirty = new Set<string>()
  let running = false

  async function settle(name: string): Promise<void> {
    const node = nodes.get(name)
    const podCidr = node?.spec?.podCIDR
    if (!node || !podCidr) return withdrawNodeDns(client, sliceName(name))
    const address = addressAt(parseCidr(podCidr), 1)
    await publishNodeDns(client, {
      clusterIp,
      address,
      port,
      nodeName: name,
      ready: isNodeReady(node),
      ownNodeOnly: true,
    })
  }
  async function work() {
    running = true
    for (const name of dirty) {
      if (signal.aborted) break
      dirty.delete(name)
      try {
        await settle(name)
      } catch (error) {
        logger.warn({ err: error, node: name }, 'network: the DNS server of a node could not be told')
        dirty.add(name)
        await sleep(clock, RETRY_MS, signal)
      }
    }
    running = false
  }
  const changed = (name: string) => {
    if (name === nodeName || signal.aborted) return
    dirty.add(name)
    if (!running) void work()
  }

  await nodes.synced()
  const view = (node: Node | undefined) => JSON.stringify([node?.spec?.podCIDR, node && isNodeReady(node)])
  const end = nodes.onChange(({ previous, current }) => {
    if (view(previous) !== view(current)) changed((current ?? previous)?.metadata?.name ?? '')
  })
  signal.addEventListener('abort', end, { once: true })
  const known = new Set([nodeName, ...nodes.list().map(({ metadata }) => metadata?.name ?? '')].map(sliceName))
  for (const { metadata } of await publishedSlices(client))
    if (metadata?.name && !known.has(metadata.name)) await withdrawNodeDns(client, metadata.name)
}
