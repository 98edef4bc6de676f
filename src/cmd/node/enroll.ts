/**
 * The node's place in the cluster: its Node object, before the node is Ready, and the range of addresses that it gets
 * for its pods. Two machines of one name are told apart by what each keeps in its data directory.
 */
import { connect } from 'node:net'
import type { ConfigMap, Node } from '../../api/generated/types/core-v1.ts'
import { ConfigMap as ConfigMapKind } from '../../api/kinds/core/config-map.ts'
import { Node as NodeKind } from '../../api/kinds/core/node.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { UserError } from '../../cli/context.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { CLUSTER_DOMAIN } from '../../network/parts.ts'
import { type IngressSettings, ingressOfNode } from '../configuration/ingress.ts'

/** Names the machine that a Node object is of. */
export const MACHINE_ANNOTATION = 'tutti.dev/machine'
const RANGE_MS = 30_000
const LOOK_MS = 250

/** How the cluster's network is laid out, as its server says it. */
export interface NetworkConfig {
  readonly clusterCidr: string
  readonly serviceCidr: string
  readonly clusterDomain: string
  /** How Ingresses are served; absent: nodes do not serve them. */
  readonly ingress?: IngressSettings
}

/** Reads it. Rejects with a `UserError` where the cluster has no network for nodes on other machines. */
export async function networkConfig(client: Client): Promise<NetworkConfig> {
  const ref = { namespace: 'kube-system', name: 'tutti-network' }
  const { data = {} } = (await client.kind<ConfigMap>(ConfigMapKind).find(ref)) ?? {}
  const { mode = 'none', clusterCIDR, serviceCIDR, clusterDomain = CLUSTER_DOMAIN } = data
  if (mode !== 'kernel' || !clusterCIDR || !serviceCIDR)
    throw new UserError(
      `the network of the cluster is ${mode}: its pods cannot reach another machine`,
      'Start the server as root, with --network kernel, so that it says what is in the way.',
    )
  const ingress = ingressOfNode(data)
  return { clusterCidr: clusterCIDR, serviceCidr: serviceCIDR, clusterDomain, ...(ingress && { ingress }) }
}

export interface Enrolment {
  readonly nodeName: string
  /** Of this machine alone. */
  readonly machine: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Makes the Node object, or takes up the one that is there. Rejects with a `UserError` where it is another machine's. */
async function ownNode(client: Client, own: Pick<Enrolment, 'nodeName' | 'machine'>): Promise<Node> {
  const { nodeName, machine } = own
  const nodes = client.kind<Node>(NodeKind)
  const annotations = { [MACHINE_ANNOTATION]: machine }
  const found = await nodes.find({ name: nodeName })
  if (!found) {
    try {
      return await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, annotations }, spec: {} })
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error
      return ownNode(client, own)
    }
  }
  const owner = found.metadata?.annotations?.[MACHINE_ANNOTATION]
  if (owner === machine) return found
  if (isReady(found))
    throw new UserError(
      `another machine is the node ${JSON.stringify(nodeName)} of the cluster, and it is Ready`,
      'Give this one another name: tutti delete, then tutti join with --node-name NAME and a new token.',
    )
  return nodes.patch({ name: nodeName }, { metadata: { annotations } }, { type: 'merge' })
}

/** Resolves with the ranges of the node's pods, one a family, with commas between. Rejects with a `UserError` where it gets none. */
export async function enroll(client: Client, enrolment: Enrolment): Promise<string> {
  const { nodeName, clock, signal } = enrolment
  const end = clock.now() + RANGE_MS
  for (let node: Node = await ownNode(client, enrolment); ; ) {
    if (node.spec?.podCIDR) return (node.spec.podCIDRs ?? [node.spec.podCIDR]).join()
    if (clock.now() > end || signal.aborted)
      throw new UserError(
        `the cluster gives the node ${JSON.stringify(nodeName)} no range of addresses for its pods`,
        `All may be taken: kubectl describe node ${nodeName}; kubectl delete node NAME frees that of a node that is gone.`,
      )
    await sleep(clock, LOOK_MS, signal)
    node = await client.kind<Node>(NodeKind).get({ name: nodeName })
  }
}

/** This machine's address, as a server sees it. Rejects with what `node:net` says. */
export function addressTowards(server: string): Promise<string> {
  const { hostname, port } = new URL(server)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) })
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')))
    socket.once('error', reject)
    socket.once('connect', () => {
      resolve(socket.localAddress ?? '')
      socket.destroy()
    })
  })
}
