/** The Service and the EndpointSlice by which pods reach the DNS server: `kube-dns`, as clients expect to find it. */
import type { Service as ServiceType } from '../../api/generated/types/core-v1.ts'
import { Service } from '../../api/kinds/core/service.ts'
import { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import type { Client } from '../../client/client.ts'
import { SERVICE_NAME_LABEL } from '../catalog.ts'

const NAMESPACE = 'kube-system'
const NAME = 'kube-dns'

export interface ClusterDns {
  /** The service's address: 10.96.0.10. */
  readonly clusterIp: string
  /** Where the server listens. */
  readonly address: string
  readonly port: number
  readonly nodeName: string
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

const slice = ({ address, port, nodeName }: ClusterDns): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${NAME}-${nodeName}`,
    namespace: NAMESPACE,
    labels: { [SERVICE_NAME_LABEL]: NAME, 'endpointslice.kubernetes.io/managed-by': 'network.tutti.dev' },
  },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false }, nodeName }],
  ports: [
    { name: 'dns', port, protocol: 'UDP' },
    { name: 'dns-tcp', port, protocol: 'TCP' },
  ],
})

/** Makes the two objects, or brings the slice up to date. The service is left as it is found. */
export async function publishClusterDns(client: Client, dns: ClusterDns): Promise<void> {
  const ref = { namespace: NAMESPACE, name: NAME }
  if (!(await client.kind(Service).find(ref))) await client.kind(Service).create(service(dns))
  const wanted = slice(dns)
  const slices = client.kind(EndpointSlice)
  const found = await slices.find({ namespace: NAMESPACE, name: wanted.metadata!.name! })
  if (!found) await slices.create(wanted)
  else if (found.endpoints?.[0]?.addresses[0] !== dns.address || found.ports?.[0]?.port !== dns.port)
    await slices.update({
      ...wanted,
      metadata: { ...wanted.metadata, resourceVersion: found.metadata!.resourceVersion! },
    })
}
