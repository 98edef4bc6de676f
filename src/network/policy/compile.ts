/** A NetworkPolicy as what it means: whom it selects, and which peers and ports it allows. Pure. */
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/generated/types/networking-v1.ts'
import { type LabelSelector, type Selector, selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'

export type Direction = 'ingress' | 'egress'

/** Pods by their labels and those of their namespace. */
export interface PodPeer {
  readonly kind: 'pods'
  /** The same for peers that mean the same pods. */
  readonly id: string
  /** One namespace, or those with labels. */
  readonly namespace: string | Selector
  readonly pods: Selector
}

/** A range of addresses without some of them. */
export interface BlockPeer {
  readonly kind: 'block'
  readonly cidr: string
  readonly except: readonly string[]
}

export type Peer = PodPeer | BlockPeer

export interface PortMatch {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** A number, a name of a container's port, or all. */
  readonly port?: number | string
  readonly endPort?: number
}

/** What one rule allows: absent peers are everybody, absent ports are all. */
export interface Rule {
  readonly peers?: readonly Peer[]
  readonly ports?: readonly PortMatch[]
}

export interface CompiledPolicy {
  readonly key: string
  readonly namespace: string
  readonly selects: Selector
  /** Absent: the policy says nothing of that direction. Empty: nothing is allowed. */
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
}

/** Text that is the same for selectors that select the same. */
const spelled = (selector: LabelSelector | undefined) =>
  JSON.stringify([
    Object.entries(selector?.matchLabels ?? {}).sort(),
    (selector?.matchExpressions ?? [])
      .map(({ key, operator, values }) => JSON.stringify([key, operator, (values ?? []).toSorted()]))
      .sort(),
  ])

function peerOf({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer, namespace: string): Peer {
  if (ipBlock) return { kind: 'block', cidr: ipBlock.cidr, except: ipBlock.except ?? [] }
  const where = namespaceSelector ? spelled(namespaceSelector as LabelSelector) : namespace
  return {
    kind: 'pods',
    id: `${where} ${spelled(podSelector as LabelSelector)}`,
    namespace: namespaceSelector ? selectorFromLabelSelector(namespaceSelector as LabelSelector) : namespace,
    // Namespaces alone mean all of their pods.
    pods: selectorFromLabelSelector((podSelector ?? {}) as LabelSelector),
  }
}

const portOf = ({ protocol = 'TCP', port, endPort }: NetworkPolicyPort): PortMatch => ({
  protocol: protocol.toLowerCase() as PortMatch['protocol'],
  ...(port !== undefined && { port }),
  ...(endPort !== undefined && { endPort }),
})

function ruleOf(
  peers: readonly NetworkPolicyPeer[] | undefined,
  ports: readonly NetworkPolicyPort[] | undefined,
  namespace: string,
): Rule {
  return {
    ...(peers?.length && { peers: peers.map(peer => peerOf(peer, namespace)) }),
    ...(ports?.length && { ports: ports.map(portOf) }),
  }
}

/** Compiles a policy that the API server took. */
export function compilePolicy({ metadata, spec }: NetworkPolicy): CompiledPolicy {
  const namespace = metadata?.namespace ?? ''
  const types = spec?.policyTypes ?? ['Ingress']
  return {
    key: `${namespace}/${metadata?.name}`,
    namespace,
    selects: selectorFromLabelSelector((spec?.podSelector ?? {}) as LabelSelector),
    ...(types.includes('Ingress') && {
      ingress: (spec?.ingress ?? []).map(({ from, ports }) => ruleOf(from, ports, namespace)),
    }),
    ...(types.includes('Egress') && {
      egress: (spec?.egress ?? []).map(({ to, ports }) => ruleOf(to, ports, namespace)),
    }),
  }
}
