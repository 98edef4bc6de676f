/**
 * The DNS servers of a cluster's other machines, as endpoints of `kube-dns`: each node has one at the second address of
 * its range. Told for all of them in one place, which sees when a node falls silent; a node may not write that itself.
 */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer-types.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import { addressAt, type Family, familyOf, parseCidr } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import { publishedSlices, publishNodeDns, sliceName, withdrawNodeDns } from './cluster-dns.ts'

export interface NodeServersDeps {
  readonly client: Client
  readonly nodes: Informer<Node>
  /** This machine's own is told elsewhere. */
  readonly nodeName: string
  readonly clusterIp: string
  /** In which each of them listens. */
  readonly family: Family
  readonly port: number
  readonly clock: Clock
  readonly logger: Logger
}

/** After a write that failed, ms. */
const RETRY = { backOff: 1000, backOffMax: 1000 }

/** Follows the nodes until `signal` aborts. */
export async function followNodeServers(deps: NodeServersDeps, signal: AbortSignal): Promise<void> {
  const { client, nodes, nodeName, clusterIp, family, port, clock, logger } = deps
  const queue = createWorkQueue<string>(clock, RETRY)

  async function settle(name: string): Promise<void> {
    const node = nodes.get(name)
    const podCidr = node?.spec?.podCIDRs?.find(each => familyOf(each) === family)
    if (!node || !podCidr) return withdrawNodeDns(client, sliceName(name))
    const address = addressAt(parseCidr(podCidr), 1)
    await publishNodeDns(client, {
      clusterIp,
      address,
      port,
      nodeName: name,
      ready: isReady(node),
      ownNodeOnly: true,
    })
  }
  await nodes.synced()
  const view = (node: Node | undefined) => JSON.stringify([node?.spec?.podCIDRs, node && isReady(node)])
  const end = nodes.onChange(({ previous, current }) => {
    const name = (current ?? previous)?.metadata?.name ?? ''
    if (name !== nodeName && view(previous) !== view(current)) queue.add(name)
  })
  signal.addEventListener('abort', end, { once: true })
  const problem = 'network: the DNS server of a node could not be told'
  void workOff(queue, { work: settle, what: 'node', problem, logger }, signal)
  const known = new Set([nodeName, ...nodes.list().map(({ metadata }) => metadata?.name ?? '')].map(sliceName))
  for (const { metadata } of await publishedSlices(client))
    if (metadata?.name && !known.has(metadata.name)) await withdrawNodeDns(client, metadata.name)
}
