/**
 * Pods in network namespaces of their own, on point-to-point links with routes of one address (DESIGN D9): no bridge,
 * no ARP (both ends know each other's link address), the gateway is the node's own address on `lo`.
 *
 * A pod costs one process (`unshare --net=PATH ip -batch -`, which makes the namespace, keeps it by a bind mount and
 * sets up the inside) and a few lines to the standing `ip`. Everything outlives the program: it is kernel state.
 */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../lib/log.ts'
import { addressAt, type Cidr, parseIpv4 } from '../ipv4.ts'
import { attempt, run } from '../tools/command.ts'
import type { Nft } from '../tools/nft.ts'
import type { Session } from '../tools/session.ts'
import { openAllocations } from './allocations.ts'
import type { PodAddresses, PodNetwork, PodRequest } from './pod-network.ts'
import { type HostPort, hostPortChange, LINK_PREFIX, podTable } from './ruleset.ts'

export interface KernelPodNetworkOptions {
  readonly podCidr: Cidr
  /** The machine's address towards pods; on `lo` already. */
  readonly nodeAddress: string
  /** Where allocations are kept. */
  readonly directory: string
  /** Where namespaces are mounted: a directory of this cluster alone, what is unknown in it is removed. */
  readonly netnsDirectory: string
  /** Largest packet, in bytes, of the pods' links. */
  readonly mtu: number
  readonly dns: PodNetwork['dns']
  readonly exposed: boolean
}

export interface KernelPodNetworkDeps {
  readonly ip: Session
  readonly nft: Nft
  readonly logger: Logger
}

interface Allocation {
  readonly uid: string
  readonly ip: string
  readonly link: string
  readonly hostPorts: readonly HostPort[]
}

/** The same for every pod: a link has two ends, and nobody else hears. Locally administered, unicast. */
const NODE_MAC = 'ee:ee:ee:ee:ee:ee'
const NETNS_PREFIX = 'tutti-'

/** The link address of a pod, made from its IP address. */
function macOf(ip: string): string {
  const value = parseIpv4(ip)!
  const bytes = [24, 16, 8, 0].map(shift => ((value >>> shift) & 255).toString(16).padStart(2, '0'))
  return `0a:58:${bytes.join(':')}`
}

/** Interface names have 15 characters at most. */
export const linkName = (uid: string) => LINK_PREFIX + uid.replaceAll('-', '').slice(0, 15 - LINK_PREFIX.length)

/**
 * Starts the pod network: brings the table of rules up to date, forgets pods whose namespace is gone (a reboot), and
 * removes namespaces and links that nobody knows.
 */
export async function startKernelPodNetwork(
  options: KernelPodNetworkOptions,
  { ip, nft, logger }: KernelPodNetworkDeps,
): Promise<PodNetwork> {
  const { podCidr, nodeAddress, netnsDirectory } = options
  mkdirSync(netnsDirectory, { recursive: true })
  const allocations = openAllocations<Allocation>(options.directory)
  const used = new Set<string>([nodeAddress])
  const starting = new Map<string, Promise<PodAddresses>>()
  let cursor = 1

  const pathOf = (uid: string) => join(netnsDirectory, NETNS_PREFIX + uid)
  const addresses = ({ uid, ip: address }: Allocation): PodAddresses => ({ ips: [address], netns: pathOf(uid) })

  /** A mounted namespace is a file of another file system than its directory. */
  function stands(uid: string): boolean {
    try {
      return statSync(pathOf(uid)).dev !== statSync(netnsDirectory).dev
    } catch {
      return false
    }
  }

  /** The next free address in turn: one that was given back rests as long as possible. */
  function allocate(): string {
    for (let tries = 0; tries < podCidr.size - 2; tries++) {
      cursor = cursor + 1 >= podCidr.size - 1 ? 1 : cursor + 1
      const address = addressAt(podCidr, cursor)
      if (!used.has(address)) return address
    }
    throw new Error(
      `no free pod address: all ${podCidr.size - 2} of ${addressAt(podCidr, 0)}/${podCidr.bits} are in use`,
    )
  }

  async function build(allocation: Allocation): Promise<void> {
    const { uid, ip: address, link } = allocation
    const mac = macOf(address)
    closeSync(openSync(pathOf(uid), 'w'))
    await run(
      'unshare',
      [`--net=${pathOf(uid)}`, 'ip', '-batch', '-'],
      `link add eth0 mtu ${options.mtu} address ${mac} type veth peer name ${link} mtu ${options.mtu} address ${NODE_MAC} netns ${process.pid}
link set lo up
addr add ${address}/32 dev eth0
link set eth0 up
route add default via ${nodeAddress} dev eth0 onlink
neigh replace ${nodeAddress} lladdr ${NODE_MAC} dev eth0 nud permanent
`,
    )
    // The pod may not speak as another (rp_filter); answers for 127.0.0.1 come back through its link (route_localnet).
    for (const [name, value] of [
      ['rp_filter', '1'],
      ['route_localnet', '1'],
      ['send_redirects', '0'],
    ])
      writeFileSync(`/proc/sys/net/ipv4/conf/${link}/${name}`, value!)
    await ip.run(`link set ${link} up
route replace ${address}/32 dev ${link} src ${nodeAddress}
neigh replace ${address} lladdr ${mac} dev ${link} nud permanent`)
    if (allocation.hostPorts.length) await nft.change(hostPortChange('add', allocation.hostPorts))
  }

  async function create(pod: PodRequest): Promise<PodAddresses> {
    const standing = allocations.get(pod.uid)
    if (standing && stands(pod.uid)) return addresses(standing)
    const address = standing?.ip ?? allocate()
    used.add(address)
    const hostPorts = pod.ports.flatMap(({ containerPort, protocol, hostPort, hostIP = '' }) =>
      hostPort ? [{ protocol, hostPort, hostIP, address, containerPort }] : [],
    )
    const allocation = { uid: pod.uid, ip: address, link: linkName(pod.uid), hostPorts }
    allocations.put(allocation)
    try {
      await build(allocation)
    } catch (cause) {
      await remove(allocation)
      throw new Error(`network of pod ${pod.namespace}/${pod.name} (${address}): ${(cause as Error).message}`, {
        cause,
      })
    }
    return addresses(allocation)
  }

  /** Takes the namespace and the link away; either may be missing already. */
  async function dismantle(uid: string, link: string): Promise<void> {
    const file = pathOf(uid)
    await Promise.all([
      // A process that was left behind, or a copy of the mount elsewhere, would keep the namespace and so the link.
      attempt('ip', ['link', 'delete', link]),
      attempt('umount', ['-l', file]),
    ])
    rmSync(file, { force: true })
  }

  async function remove(allocation: Allocation): Promise<void> {
    if (allocation.hostPorts.length)
      await nft
        .change(hostPortChange('delete', allocation.hostPorts))
        .catch(error => logger.debug({ error }, 'host ports'))
    await dismantle(allocation.uid, allocation.link)
    allocations.remove(allocation.uid)
    used.delete(allocation.ip)
  }

  const found = () =>
    readdirSync(netnsDirectory).flatMap(name =>
      name.startsWith(NETNS_PREFIX) ? [name.slice(NETNS_PREFIX.length)] : [],
    )

  async function sweep(): Promise<void> {
    const lost = allocations.all().filter(({ uid }) => !stands(uid))
    for (const allocation of lost) allocations.remove(allocation.uid)
    for (const { ip: address } of allocations.all()) used.add(address)
    cursor = Math.max(1, ...[...used].map(address => parseIpv4(address)! - podCidr.base))
    const known = new Set(allocations.all().map(({ link }) => link))
    const links = readdirSync('/proc/sys/net/ipv4/conf').filter(
      name => name.startsWith(LINK_PREFIX) && !known.has(name),
    )
    const namespaces = found().filter(uid => !allocations.get(uid))
    await Promise.all([
      ...namespaces.map(uid => dismantle(uid, linkName(uid))),
      ...links.map(link => attempt('ip', ['link', 'delete', link])),
    ])
    if (lost.length + links.length + namespaces.length > 0)
      logger.info({ lost: lost.length, links, namespaces }, 'network: swept what was left behind')
  }

  await sweep()
  const hostPorts = allocations.all().flatMap(allocation => allocation.hostPorts)
  await nft.load(podTable({ podCidr, nodeAddress, hostPorts, exposed: options.exposed }))

  return {
    dns: options.dns,
    setup(pod) {
      const running = starting.get(pod.uid) ?? create(pod).finally(() => starting.delete(pod.uid))
      starting.set(pod.uid, running)
      return running
    },
    async teardown(uid) {
      await starting.get(uid)?.catch(() => {})
      const allocation = allocations.get(uid)
      if (allocation) await remove(allocation)
    },
    list: async () => allocations.all().map(({ uid }) => uid),
  }
}
