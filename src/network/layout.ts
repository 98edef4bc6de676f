/** Which addresses a node has to do with, by family. Pure. */
import { addressAt, type Family, formatCidr, parseCidrs } from '../lib/ip-range.ts'
import type { PodRange } from './pod-network/ruleset.ts'

/** What a node has of one family. */
export interface FamilyLayout extends PodRange {
  readonly family: Family
  /** The network of the services' addresses: `10.96.0.0/16`. */
  readonly serviceCidr: string
  /** The service by which pods ask the cluster's DNS. */
  readonly dnsService: string
}

export interface LayoutOptions {
  /** Ranges of this node's pods, one a family, the first family first: `10.244.0.0/24,fd00:10:244::/64`. */
  readonly podCidr: string
  readonly serviceCidr: string
  /** The ranges of all nodes. Default: that of this one, which is alone. */
  readonly clusterCidr?: string
}

/** Of the service range: as everywhere. */
const DNS_OFFSET = 10

/** The node's address in its range: the second one. */
const NODE_OFFSET = 1

/** The families in which a node has a range and the cluster has services. Throws an Error for ranges that are none. */
export function layoutOf({ podCidr, serviceCidr, clusterCidr = podCidr }: LayoutOptions): readonly FamilyLayout[] {
  const [services, clusters] = [parseCidrs(serviceCidr), parseCidrs(clusterCidr)]
  return parseCidrs(podCidr).flatMap(pods => {
    const of = (ranges: typeof services) => ranges.find(each => each.family === pods.family)
    const [service, cluster] = [of(services), of(clusters)]
    if (!service || !cluster) return []
    return [
      {
        family: pods.family,
        podCidr: pods,
        nodeAddress: addressAt(pods, NODE_OFFSET),
        clusterCidr: cluster,
        serviceCidr: formatCidr(service),
        dnsService: addressAt(service, DNS_OFFSET),
      },
    ]
  })
}
