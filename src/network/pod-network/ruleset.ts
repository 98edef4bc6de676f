/**
 * The nftables tables of the pod network, one a family: address translation of pods, host ports, and what keeps the
 * outside out. They hold nothing per pod but host ports, so that starting a pod is no nftables change.
 */
import { addressAt, type Cidr, type Family, familyOf, formatCidr } from '../../lib/ip-range.ts'
import { NFT_WORDS } from '../family.ts'

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

/** What a node has of one family. */
export interface PodRange {
  readonly podCidr: Cidr
  /** The machine's address towards pods. */
  readonly nodeAddress: string
  /** The ranges of all nodes; that of this one where it is the only one. */
  readonly clusterCidr: Cidr
}

export interface PodTable extends PodRange {
  /** How many addresses of the range may be a pod's. */
  readonly places: number
  readonly hostPorts: readonly HostPort[]
  /** Host ports without hostIP answer from outside the machine, too. */
  readonly exposed: boolean
}

/** The addresses of the cluster's other machines: what comes from there is no stranger's. */
export const NODES_SET = 'nodes'

/** `ip tutti-pods`. */
export const podTableOf = (family: Family) => `${NFT_WORDS[family].table} ${POD_TABLE}`

/** Every address of a family, written out. */
const ANY: Readonly<Record<Family, string>> = { IPv4: '0.0.0.0', IPv6: '::' }

/** The map and the element of a host port. */
function hostPortElement({ address, containerPort, ...port }: HostPort): { map: string; key: string; value: string } {
  const family = familyOf(address)!
  const key = `${port.protocol.toLowerCase()} . ${port.hostPort}`
  const value = `${address} . ${containerPort}`
  // Written out, it asks for the outside; nothing written means the machine and its pods.
  if (port.hostIP === '') return { map: 'hostports', key, value }
  if (port.hostIP === ANY[family]) return { map: 'hostports-any', key, value }
  return { map: 'hostports-at', key: `${port.hostIP} . ${key}`, value }
}

/** Commands that add or remove host ports of tables that stand. */
export function hostPortChange(verb: 'add' | 'delete', ports: readonly HostPort[]): string {
  return ports
    .map(port => {
      const { map, key, value } = hostPortElement(port)
      const table = podTableOf(familyOf(port.address)!)
      return `${verb} element ${table} ${map} { ${key}${verb === 'add' ? ` : ${value}` : ''} }`
    })
    .join('\n')
}

const elements = (ports: readonly HostPort[], map: string) => {
  const lines = ports.map(hostPortElement).filter(element => element.map === map)
  return lines.length ? `elements = { ${lines.map(({ key, value }) => `${key} : ${value}`).join(', ')} }` : ''
}

/**
 * What only one family has. Of IPv4 programs of the machine may use its loopback for a host port; of IPv6 that cannot
 * be routed, and the kernel has no switch against senders who give themselves another's address.
 */
const OWN_RULES: Readonly<Record<Family, { postrouting(node: string): string; input: string; chains: string }>> = {
  IPv4: {
    postrouting: node => `ip saddr 127.0.0.0/8 oifname ${LINKS} snat to ${node}`,
    input: 'iifname != "lo" ip daddr 127.0.0.0/8 ct state new drop',
    chains: '',
  },
  IPv6: {
    postrouting: () => '',
    input: '',
    chains: `chain senders {
    type filter hook prerouting priority raw
    iifname ${LINKS} fib saddr . iif oif missing drop
  }`,
  },
}

/** The whole table of one family; loading it replaces what was there in one transaction. */
export function podTable(options: PodTable): string {
  const { podCidr, nodeAddress, hostPorts, exposed, places } = options
  const { family } = podCidr
  const { address: type, header } = NFT_WORDS[family]
  const table = podTableOf(family)
  const [pods, cluster] = [podCidr, options.clusterCidr].map(formatCidr)
  const own = OWN_RULES[family]
  const ports = hostPorts.filter(({ address }) => familyOf(address) === family)
  // A pod that reaches itself through a service must see another address as the peer. nftables cannot compare two
  // fields of a packet, so the pairs are listed once and for all.
  const pairs = Array.from({ length: places }, (_, at) => addressAt(podCidr, at)).map(ip => `${ip} . ${ip}`)
  return `table ${table}
delete table ${table}
table ${table} {
  set itself { type ${type} . ${type}; elements = { ${pairs.join(', ')} } }
  map hostports { type inet_proto . inet_service : ${type} . inet_service; ${elements(ports, 'hostports')} }
  map hostports-any { type inet_proto . inet_service : ${type} . inet_service; ${elements(ports, 'hostports-any')} }
  map hostports-at { type ${type} . inet_proto . inet_service : ${type} . inet_service; ${elements(ports, 'hostports-at')} }
  set ${NODES_SET} { type ${type}; }
  chain asked {
    dnat ${header} to ${header} daddr . meta l4proto . th dport map @hostports-at
    fib daddr type local dnat ${header} to meta l4proto . th dport map @hostports-any
  }
  chain local { fib daddr type local dnat ${header} to meta l4proto . th dport map @hostports; }
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
    ${header} saddr . ${header} daddr @itself snat to ${nodeAddress}
    ${own.postrouting(nodeAddress)}
    ${header} saddr ${pods} ${header} daddr != ${cluster} oifname != ${LINKS} oifname != "lo" masquerade
  }
  chain strangers {
    ${header} saddr ${cluster} return
    ${header} saddr @${NODES_SET} return
    drop
  }
  chain input {
    type filter hook input priority filter
    ${own.input}
    iifname != "lo" iifname != ${LINKS} ${header} daddr ${nodeAddress} ct status ! dnat jump strangers
  }
  chain forward {
    type filter hook forward priority filter
    iifname != ${LINKS} oifname ${LINKS} ct state new ct status ! dnat jump strangers
  }
  ${own.chains}
}
`
}
