/**
 * What policies mean for the pods that are there, kept current by single changes: of a policy, a pod, a namespace. It
 * writes to a `Table`, so that a change costs what it touches: the elements of one pod, or the chain of one policy. Of
 * one family of addresses. No I/O.
 */

import { type Family, familyOf } from '../../lib/ip-range.ts'
import type { CompiledPolicy, Direction, PodPeer } from './compile.ts'
import {
  addressSet,
  type DnsPlace,
  isolatedMap,
  isolationChain,
  isolationRules,
  namedSet,
  needsOf,
  peerSet,
  policyChain,
  policyRules,
  portSet,
} from './ruleset.ts'
import type { Table } from './table.ts'

type Labels = Readonly<Record<string, string>>

export interface PolicyPod {
  readonly namespace: string
  readonly labels: Labels
  /** Of both families. */
  readonly addresses: readonly string[]
  /** Ports of containers that have names. */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[]
  /** Whether its packets pass this node's rules: it runs here, on a network of its own. */
  readonly here: boolean
}

export interface PolicyEngine {
  /** A pod as it is now; undefined: it is gone, or has ended. */
  pod(key: string, pod: PolicyPod | undefined): void
  namespace(name: string, labels: Labels | undefined): void
  policy(key: string, policy: CompiledPolicy | undefined): void
}

const DIRECTIONS: readonly Direction[] = ['ingress', 'egress']

/** Elements that several owners may want, such as an address that went from one pod to the next. */
function shared(table: Table) {
  const owners = new Map<string, Set<string>>()
  return {
    add(set: string, key: string, owner: string) {
      const id = `${set} ${key}`
      const all = owners.get(id) ?? new Set()
      if (all.size === 0) table.put(set, key)
      owners.set(id, all.add(owner))
    },
    remove(set: string, key: string, owner: string) {
      const id = `${set} ${key}`
      const all = owners.get(id)
      if (!all?.delete(owner) || all.size > 0) return
      owners.delete(id)
      table.remove(set, key)
    },
  }
}

/** How often each of a kind of thing is used; made with the first use and ended with the last. */
function counted(made: (name: string) => void, ended: (name: string) => void) {
  const counts = new Map<string, number>()
  return {
    use(name: string) {
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      if (count === 0) made(name)
    },
    leave(name: string) {
      const count = counts.get(name) ?? 0
      if (count > 1) counts.set(name, count - 1)
      else if (counts.delete(name)) ended(name)
    },
    names: () => counts.keys(),
  }
}

/** Starts with nothing known. */
export function createPolicyEngine(
  table: Table,
  { family, dns }: { readonly family: Family; readonly dns?: DnsPlace },
): PolicyEngine {
  const pods = new Map<string, PolicyPod>()
  const byNamespace = new Map<string, Set<string>>()
  const namespaces = new Map<string, Labels>()
  const policies = new Map<string, CompiledPolicy>()
  const peersById = new Map<string, PodPeer>()
  const elements = shared(table)
  /** Of a pod, the chain that it is led to in a direction. */
  const isolations = new Map<string, string>()
  /** Which pod an address is isolated for. */
  const isolated = new Map<string, string>()
  /** Policies of an isolation chain. */
  const meanings = new Map<string, { readonly direction: Direction; readonly keys: readonly string[] }>()

  const addressesOf = (pod: PolicyPod | undefined) => (pod?.addresses ?? []).filter(each => familyOf(each) === family)

  function selects(peer: PodPeer, pod: PolicyPod): boolean {
    const inside =
      typeof peer.namespace === 'string'
        ? peer.namespace === pod.namespace
        : peer.namespace.matches(namespaces.get(pod.namespace) ?? {})
    return inside && peer.pods.matches(pod.labels)
  }

  /** Whether a pod is one of a peer: by its old self and its new one. */
  function settlePeer(id: string, key: string, before: readonly string[], after: readonly string[]) {
    for (const address of before) if (!after.includes(address)) elements.remove(peerSet(id), address, key)
    for (const address of after) elements.add(peerSet(id), address, key)
  }
  /** Addresses of a pod that stand in a peer's set. */
  const members = new Map<string, readonly string[]>()
  function settlePod(id: string, peer: PodPeer, key: string, pod: PolicyPod | undefined) {
    const at = `${id}\n${key}`
    const after = pod && selects(peer, pod) ? addressesOf(pod) : []
    settlePeer(id, key, members.get(at) ?? [], after)
    if (after.length) members.set(at, after)
    else members.delete(at)
  }

  const namedElements = (pod: PolicyPod | undefined, name?: string) =>
    (pod?.ports ?? []).flatMap(port =>
      name === undefined || port.name === name
        ? addressesOf(pod).map(address => ({
            name: port.name,
            element: `${address} . ${port.protocol.toLowerCase()} . ${port.port}`,
          }))
        : [],
    )

  const namedPorts = counted(
    name => {
      table.set(namedSet(name), portSet(family))
      for (const [key, pod] of pods)
        for (const { element } of namedElements(pod, name)) elements.add(namedSet(name), element, key)
    },
    name => {
      for (const [key, pod] of pods)
        for (const { element } of namedElements(pod, name)) elements.remove(namedSet(name), element, key)
      table.dropSet(namedSet(name))
    },
  )
  const peers = counted(
    id => {
      table.set(peerSet(id), addressSet(family))
      for (const [key, pod] of pods) settlePod(id, peersById.get(id)!, key, pod)
    },
    id => {
      for (const key of pods.keys()) settlePod(id, peersById.get(id)!, key, undefined)
      peersById.delete(id)
      table.dropSet(peerSet(id))
    },
  )
  const chains = counted(
    name => {
      const { direction, keys } = meanings.get(name)!
      table.chain(name, isolationRules(direction, keys))
    },
    name => {
      meanings.delete(name)
      table.dropChain(name)
    },
  )

  function chainFor(pod: PolicyPod, direction: Direction): string | undefined {
    const keys: string[] = []
    for (const policy of policies.values())
      if (policy.namespace === pod.namespace && policy[direction] && policy.selects.matches(pod.labels))
        keys.push(policy.key)
    if (keys.length === 0) return undefined
    const name = isolationChain(direction, keys)
    meanings.set(name, { direction, keys })
    return name
  }

  /** Leads a pod's packets to the chain of its policies, or past them. */
  function isolate(key: string, before: PolicyPod | undefined, pod: PolicyPod | undefined) {
    for (const direction of DIRECTIONS) {
      const at = `${direction} ${key}`
      const old = isolations.get(at)
      const now = pod?.here && addressesOf(pod).length ? chainFor(pod, direction) : undefined
      if (now) chains.use(now)
      const stays = now ? addressesOf(pod) : []
      for (const address of old ? addressesOf(before) : []) {
        if (stays.includes(address) || isolated.get(`${direction} ${address}`) !== key) continue
        isolated.delete(`${direction} ${address}`)
        table.remove(isolatedMap(direction), address)
        elements.remove('itself', `${address} . ${address}`, at)
      }
      for (const address of stays) {
        isolated.set(`${direction} ${address}`, key)
        table.put(isolatedMap(direction), address, `goto ${now}`)
        elements.add('itself', `${address} . ${address}`, at)
      }
      if (old) chains.leave(old)
      if (now) isolations.set(at, now)
      else isolations.delete(at)
    }
  }

  function index(key: string, pod: PolicyPod, add: boolean) {
    const own = byNamespace.get(pod.namespace) ?? new Set()
    if (add) byNamespace.set(pod.namespace, own.add(key))
    else if (own.delete(key) && own.size === 0) byNamespace.delete(pod.namespace)
  }
  const podsIn = (namespace: string) =>
    [...(byNamespace.get(namespace) ?? [])].map(key => [key, pods.get(key)!] as const)

  function use(policy: CompiledPolicy | undefined) {
    const { peers: wanted, ports } = policy ? needsOf(policy) : { peers: new Map<string, PodPeer>(), ports: [] }
    for (const [id, peer] of wanted) {
      if (!peersById.has(id)) peersById.set(id, peer)
      peers.use(id)
    }
    for (const name of ports) namedPorts.use(name)
  }
  function leave(policy: CompiledPolicy | undefined) {
    if (!policy) return
    const { peers: wanted, ports } = needsOf(policy)
    for (const id of wanted.keys()) peers.leave(id)
    for (const name of ports) namedPorts.leave(name)
  }

  return {
    pod(key, pod) {
      const before = pods.get(key)
      if (!before && !pod) return
      if (before) index(key, before, false)
      if (pod) {
        pods.set(key, pod)
        index(key, pod, true)
      } else pods.delete(key)
      for (const [id, peer] of peersById) settlePod(id, peer, key, pod)
      const used = new Set(namedPorts.names())
      const after = namedElements(pod).filter(({ name }) => used.has(name))
      for (const { name, element } of namedElements(before).filter(each => used.has(each.name)))
        if (!after.some(each => each.name === name && each.element === element))
          elements.remove(namedSet(name), element, key)
      for (const { name, element } of after) elements.add(namedSet(name), element, key)
      isolate(key, before, pod)
    },

    namespace(name, labels) {
      if (labels) namespaces.set(name, labels)
      else namespaces.delete(name)
      for (const [id, peer] of peersById)
        if (typeof peer.namespace !== 'string') for (const [key, pod] of podsIn(name)) settlePod(id, peer, key, pod)
    },

    policy(key, policy) {
      const before = policies.get(key)
      use(policy)
      if (policy) policies.set(key, policy)
      else policies.delete(key)
      for (const direction of DIRECTIONS) {
        const rules = policy?.[direction]
        if (rules) table.chain(policyChain(direction, key), policyRules(rules, direction, family, dns))
      }
      const namespace = (policy ?? before)?.namespace ?? ''
      for (const [podKey, pod] of podsIn(namespace)) isolate(podKey, pod, pod)
      for (const direction of DIRECTIONS)
        if (before?.[direction] && !policy?.[direction]) table.dropChain(policyChain(direction, key))
      leave(before)
    },
  }
}
