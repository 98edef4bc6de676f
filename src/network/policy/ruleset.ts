/**
 * Policies as text of nftables. Pure. Two base chains, one after the other, so that what one of them accepts still has
 * to pass the other:
 *
 *   egress    forward and input   ip saddr → goto the chain of the policies that select this pod
 *   ingress   forward             ip daddr → goto the same, for the receiver
 *
 * `isolated-…` is a chain for a set of policies: it jumps to the chain of each, which accepts, and drops what comes back.
 * Pods with the same policies share it. Who a policy's peers are is in sets of addresses (`peers-…`), which policies
 * with the same selectors share; named ports are in sets of address, protocol and port (`named-…`).
 */
import { createHash } from 'node:crypto'
import { type Family, familyOf } from '../../lib/ip-range.ts'
import { NFT_WORDS } from '../family.ts'
import type { BlockPeer, CompiledPolicy, Direction, Peer, PodPeer, PortMatch, Rule } from './compile.ts'

export const POLICY_TABLE = 'tutti-policy'

export const policyTable = (family: Family) => `${NFT_WORDS[family].table} ${POLICY_TABLE}`

/** Takes the table away, whether it stands or not. */
export const noTable = (family: Family) => `table ${policyTable(family)}\ndelete table ${policyTable(family)}`

/** Names are read by people where they are short enough for the kernel. */
const LONGEST = 100
const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** The set of a peer's addresses. */
export const peerSet = (id: string) => `peers-${digest(id)}`
/** The set of where a named port is. */
export const namedSet = (name: string) => `named-${name}`
/** The map from a pod's address to its chain. */
export const isolatedMap = (direction: Direction) => `isolated-${direction}`

export function policyChain(direction: Direction, key: string): string {
  const name = `${direction}-${key}`
  return name.length <= LONGEST ? name : `${direction}-${digest(key)}`
}

/** The chain of pods that all of these policies select. */
export const isolationChain = (direction: Direction, policies: readonly string[]) =>
  `isolated-${direction}-${digest(policies.toSorted().join())}`

export const isolationRules = (direction: Direction, policies: readonly string[]): string[] => [
  ...policies.toSorted().map(key => `jump ${policyChain(direction, key)}`),
  'drop',
]

export const addressSet = (family: Family) => `set {} { type ${NFT_WORDS[family].address}; }`
export const portSet = (family: Family) => `set {} { type ${NFT_WORDS[family].address} . inet_proto . inet_service; }`

function blockMatch({ cidr, except }: BlockPeer, side: string): string {
  return [`${side} ${cidr}`, ...(except.length ? [`${side} != { ${except.join(', ')} }`] : [])].join(' ')
}

/** What a packet's other end must be; undefined where no packet of the family can be it. */
function peerMatch(peer: Peer, direction: Direction, family: Family): string | undefined {
  const side = `${NFT_WORDS[family].header} ${direction === 'ingress' ? 'saddr' : 'daddr'}`
  if (peer.kind === 'pods') return `${side} @${peerSet(peer.id)}`
  if (familyOf(peer.cidr) !== family) return undefined
  return blockMatch({ ...peer, except: peer.except.filter(each => familyOf(each) === family) }, side)
}

/** What a packet's port must be: an alternative each for numbers, for whole protocols, and for names. */
function portMatches(ports: readonly PortMatch[], family: Family): string[] {
  const matches: string[] = []
  for (const [protocol, list] of Map.groupBy(ports, port => port.protocol)) {
    if (list.some(({ port }) => port === undefined)) {
      matches.push(`meta l4proto ${protocol}`)
      continue
    }
    const numbers = list.flatMap(({ port, endPort }) =>
      typeof port === 'number' ? [endPort ? `${port}-${endPort}` : String(port)] : [],
    )
    if (numbers.length) matches.push(`${protocol} dport { ${[...new Set(numbers)].join(', ')} }`)
    for (const { port } of list)
      if (typeof port === 'string')
        matches.push(
          `meta l4proto ${protocol} ${NFT_WORDS[family].header} daddr . meta l4proto . th dport @${namedSet(port)}`,
        )
  }
  return matches
}

/** Where the cluster's DNS is: on the node, and no pod. It is treated as the pod that it is elsewhere. */
export interface DnsPlace {
  readonly address: string
  readonly port: number
  /** Protocols in which the rule allows it. */
  allowed(rule: Rule): readonly ('tcp' | 'udp')[]
}

/** The rules of a policy's chain. */
export function policyRules(rules: readonly Rule[], direction: Direction, family: Family, dns?: DnsPlace): string[] {
  const lines: string[] = []
  for (const rule of rules) {
    const peers = rule.peers ? rule.peers.flatMap(peer => peerMatch(peer, direction, family) ?? []) : ['']
    const ports = rule.ports ? portMatches(rule.ports, family) : ['']
    for (const peer of peers) for (const port of ports) lines.push([peer, port, 'accept'].filter(Boolean).join(' '))
    if (direction === 'egress' && dns && familyOf(dns.address) === family)
      for (const protocol of dns.allowed(rule))
        lines.push(`${NFT_WORDS[family].header} daddr ${dns.address} ${protocol} dport ${dns.port} accept`)
  }
  return lines
}

/** The table without policies. */
export function baseTable(family: Family): string {
  const { address, header } = NFT_WORDS[family]
  const talk =
    family === 'IPv6' ? '\n    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept' : ''
  const egress = `
    ct state { established, related } accept${talk}
    ${header} saddr . ${header} daddr @itself accept
    ${header} saddr vmap @${isolatedMap('egress')}`
  return `table ${policyTable(family)} {
  # A pod may always talk to itself, by way of a service, too.
  set itself { type ${address} . ${address}; }
  map ${isolatedMap('ingress')} { type ${address} : verdict; }
  map ${isolatedMap('egress')} { type ${address} : verdict; }
  chain egress-forward {
    type filter hook forward priority filter + 5${egress}
  }
  chain egress-input {
    type filter hook input priority filter + 5${egress}
  }
  chain ingress-forward {
    type filter hook forward priority filter + 6
    ct state { established, related } accept
    ${header} saddr . ${header} daddr @itself accept
    ${header} daddr vmap @${isolatedMap('ingress')}
  }
}`
}

/** The peers and the names of ports that a policy needs sets for. */
export function needsOf(policy: CompiledPolicy): {
  readonly peers: ReadonlyMap<string, PodPeer>
  readonly ports: ReadonlySet<string>
} {
  const peers = new Map<string, PodPeer>()
  const ports = new Set<string>()
  for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) {
    for (const peer of rule.peers ?? []) if (peer.kind === 'pods') peers.set(peer.id, peer)
    for (const { port } of rule.ports ?? []) if (typeof port === 'string') ports.add(port)
  }
  return { peers, ports }
}
