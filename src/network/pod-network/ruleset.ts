/**
 * The nftables table of the pod network: address translation of pods, host ports, and what keeps the outside out. It
 * holds nothing per pod but host ports, so that starting a pod is no nftables change.
 */
import { addressAt, type Cidr, formatIpv4 } from '../../lib/ipv4.ts'

export const POD_TABLE = 'tutti-pods'
/** The machine's ends of the pods' links are all named so. */
export const LINK_PREFIX = 'tutti-'
const LINKS = `"${LINK_PREFIX}*"`

/** A port of the machine that leads to a pod. */
export interface HostPort {
  readonly protocol: string
  readonly hostPort: number
  /** As the pod says it; empty for every address. */
  readonly hostIP: string
  readonly address: string
  readonly containerPort: number
}

export interface PodTable {
  readonly podCidr: Cidr
  /** The machine's address towards pods. */
  readonly nodeAddress: string
  readonly hostPorts: readonly HostPort[]
  /** Host ports without hostIP answer from outside the machine, too. */
  readonly exposed: boolean
  /** The ranges of all nodes; that of this one where it is the only one. */
  readonly clusterCidr: Cidr
}

/** The addresses of the cluster's other machines: what comes from there is no stranger's. */
export const NODES_SET = 'nodes'

/** The map and the element of a host port. */
function hostPortElement(port: HostPort): { map: string; key: string; value: string } {
  const anywhere = port.hostIP === '' || port.hostIP === '0.0.0.0'
  const key = `${port.protocol.toLowerCase()} . ${port.hostPort}`
  const value = `${port.address} . ${port.containerPort}`
  if (!anywhere) return { map: 'hostports-at', key: `${port.hostIP} . ${key}`, value }
  // 0.0.0.0 written out asks for the outside; nothing written means the machine and its pods.
  return { map: port.hostIP === '' ? 'hostports' : 'hostports-any', key, value }
}

/** Commands that add or remove host ports of a table that stands. */
export function hostPortChange(verb: 'add' | 'delete', ports: readonly HostPort[]): string {
  return ports
    .map(hostPortElement)
    .map(
      ({ map, key, value }) =>
        `${verb} element ip ${POD_TABLE} ${map} { ${key}${verb === 'add' ? ` : ${value}` : ''} }`,
    )
    .join('\n')
}

const elements = (ports: readonly HostPort[], map: string) => {
  const lines = ports.map(hostPortElement).filter(element => element.map === map)
  return lines.length ? `elements = { ${lines.map(({ key, value }) => `${key} : ${value}`).join(', ')} }` : ''
}

/** The whole table; loading it replaces what was there in one transaction. */
export function podTable({ podCidr, nodeAddress, hostPorts, exposed, clusterCidr }: PodTable): string {
  const [pods, cluster] = [podCidr, clusterCidr].map(({ base, bits }) => `${formatIpv4(base)}/${bits}`)
  // A pod that reaches itself through a service must see another address as the peer. nftables cannot compare two
  // fields of a packet, so the pairs are listed once and for all.
  const pairs = Array.from({ length: podCidr.size }, (_, at) => addressAt(podCidr, at)).map(ip => `${ip} . ${ip}`)
  return `table ip ${POD_TABLE}
delete table ip ${POD_TABLE}
table ip ${POD_TABLE} {
  set itself { type ipv4_addr . ipv4_addr; elements = { ${pairs.join(', ')} } }
  map hostports { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(hostPorts, 'hostports')} }
  map hostports-any { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(hostPorts, 'hostports-any')} }
  map hostports-at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${elements(hostPorts, 'hostports-at')} }
  set ${NODES_SET} { type ipv4_addr; }
  chain asked {
    dnat ip to ip daddr . meta l4proto . th dport map @hostports-at
    fib daddr type local dnat ip to meta l4proto . th dport map @hostports-any
  }
  chain local { fib daddr type local dnat ip to meta l4proto . th dport map @hostports; }
  chain prerouting {
    type nat hook prerouting priority dstnat + 1
    jump asked
    ${exposed ? '' : `iifname ${LINKS} `}jump local
  }
  chain output {
    type nat hook output priority -99
    jump asked
    jump local
  }
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr . ip daddr @itself snat to ${nodeAddress}
    ip saddr 127.0.0.0/8 oifname ${LINKS} snat to ${nodeAddress}
    ip saddr ${pods} ip daddr != ${cluster} oifname != ${LINKS} oifname != "lo" masquerade
  }
  chain strangers {
    ip saddr ${cluster} return
    ip saddr @${NODES_SET} return
    drop
  }
  chain input {
    type filter hook input priority filter
    iifname != "lo" ip daddr 127.0.0.0/8 ct state new drop
    iifname != "lo" iifname != ${LINKS} ip daddr ${nodeAddress} ct status ! dnat jump strangers
  }
  chain forward {
    type filter hook forward priority filter
    iifname != ${LINKS} oifname ${LINKS} ct state new ct status ! dnat jump strangers
  }
}
`
}
