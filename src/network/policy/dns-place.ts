/**
 * The cluster's DNS as policies see it. Elsewhere it is a pod in kube-system, and so policies name it; here it is the
 * node, at a port of its own. What would allow that pod allows the node's DNS.
 */
import { inCidr, parseCidr } from '../../lib/ip-range.ts'
import type { Peer, PortMatch, Rule } from './compile.ts'
import type { DnsPlace } from './ruleset.ts'

const NAMESPACE = 'kube-system'
const LABELS = { 'k8s-app': 'kube-dns' }
const NAMESPACE_LABELS = { 'kubernetes.io/metadata.name': NAMESPACE }
const PORT = 53
const NAMES = { udp: 'dns', tcp: 'dns-tcp' } as const
const PROTOCOLS = ['udp', 'tcp'] as const

const inBlock = (cidr: string, address: string) => inCidr(parseCidr(cidr), address)

function isPeer(peer: Peer, addresses: readonly string[]): boolean {
  if (peer.kind === 'block')
    return addresses.some(
      address => inBlock(peer.cidr, address) && !peer.except.some(except => inBlock(except, address)),
    )
  const inside =
    typeof peer.namespace === 'string' ? peer.namespace === NAMESPACE : peer.namespace.matches(NAMESPACE_LABELS)
  return inside && peer.pods.matches(LABELS)
}

function isPort({ protocol, port, endPort }: PortMatch, wanted: 'udp' | 'tcp'): boolean {
  if (protocol !== wanted) return false
  if (port === undefined) return true
  if (typeof port === 'string') return port === NAMES[wanted]
  return port <= PORT && PORT <= (endPort ?? port)
}

/** `address` and `port`: where it listens; `service`: the address by which pods know it. */
export function dnsPlace(address: string, port: number, service: string): DnsPlace {
  return {
    address,
    port,
    allowed({ peers, ports }: Rule) {
      if (peers && !peers.some(peer => isPeer(peer, [address, service]))) return []
      return PROTOCOLS.filter(protocol => !ports || ports.some(each => isPort(each, protocol)))
    },
  }
}
