/** The Service and the EndpointSlice by which pods reach the DNS server: `kube-dns`, as clients expect to find it. */
import type { Service as ServiceType } from '../../api/generated/types/core-v1.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { familyOf } from '../../lib/ip-range.ts'

const NAMESPACE = 'kube-system'
const NAME = 'kube-dns'

export interface ClusterDns {
  /** The service's address: 10.96.0.10. */
  readonly clusterIp: string
  /** Where the server listens. */
  readonly address: string
  readonly port: number
  readonly nodeName: string
  /** Whether it answers. Default: yes. */
  readonly ready?: boolean
  /** It is meant for its own node, as long as it answers: there are others. */
  readonly ownNodeOnly?: boolean
}

const service = ({ clusterIp }: ClusterDns): ServiceType => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: NAME,
    namespace: NAMESPACE,
    labels: { 'k8s-app': NAME, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
  },
  spec: {
    clusterIP: clusterIp,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ],
  },
})

/** The name of a node's slice. */
export const sliceName = (nodeName: string) => `${NAME}-${nodeName}`

const slice = ({ address, port, nodeName, ready = true, ownNodeOnly }: ClusterDns): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: sliceName(nodeName),
    namespace: NAMESPACE,
    labels: { [SERVICE_NAME]: NAME, 'endpointslice.kubernetes.io/managed-by': 'network.tutti.dev' },
  },
  addressType: familyOf(address)!,
  endpoints: [
    {
      addresses: [address],
      conditions: { ready, serving: ready, terminating: false },
      nodeName,
      ...(ownNodeOnly && { hints: { forNodes: [{ name: nodeName }] } }),
    },
  ],
  ports: [
    { name: 'dns', port, protocol: 'UDP' },
    { name: 'dns-tcp', port, protocol: 'TCP' },
  ],
})

/** What tells one slice from another. */
const view = ({ endpoints, ports }: EndpointSlice) =>
  JSON.stringify([
    endpoints?.map(({ addresses, conditions, hints }) => [addresses, conditions?.ready, hints?.forNodes]),
    ports?.[0]?.port,
  ])

/** Makes the slice of a node's server, or brings it up to date. */
export async function publishNodeDns(client: Client, dns: ClusterDns): Promise<void> {
  const wanted = slice(dns)
  const slices = client.kind(EndpointSlice)
  const found = await slices.find({ namespace: NAMESPACE, name: wanted.metadata!.name! })
  if (!found) await slices.create(wanted)
  else if (view(found) !== view(wanted))
    await slices.update({
      ...wanted,
      metadata: { ...wanted.metadata, resourceVersion: found.metadata!.resourceVersion! },
    })
}

/** Takes the slice of a node that is gone away. */
export async function withdrawNodeDns(client: Client, name: string): Promise<void> {
  try {
    await client.kind(EndpointSlice).delete({ namespace: NAMESPACE, name })
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error
  }
}

/** The slices that were published, by whichever run. */
export const publishedSlices = (client: Client): Promise<readonly EndpointSlice[]> =>
  client.kind(EndpointSlice).listAll({ namespace: NAMESPACE, labelSelector: `${SERVICE_NAME}=${NAME}` })

/** Makes the service and this node's slice, or brings the slice up to date. The service is left as it is found. */
export async function publishClusterDns(client: Client, dns: ClusterDns): Promise<void> {
  const ref = { namespace: NAMESPACE, name: NAME }
  if (!(await client.kind(Service).find(ref))) await client.kind(Service).create(service(dns))
  await publishNodeDns(client, dns)
}
