/**
 * Pods in network namespaces of their own, on point-to-point links with routes of one address (DESIGN D9): no bridge,
 * no ARP and no neighbour discovery (both ends know each other's link address), the gateway is the node's own address
 * on `lo`.
 *
 * A place for a pod costs one process (`unshare --net=PATH ip -batch -`, which makes the namespace, keeps it by a bind
 * mount and sets up the inside) and a few lines to the standing `ip`. A few places are made before they are asked for,
 * so that a pod that comes alone waits for neither. Everything outlives the program: it is kernel state.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { addressAt, familyOf, formatCidr, offsetIn, parseAddress } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import { makeOwnedNetns } from '../../lib/owned-netns.ts'
import { runTool } from '../../lib/run-tool.ts'
import { alone, onDevice } from '../family.ts'
import type { Guard } from '../guard/guard.ts'
import { createRounds } from '../rounds.ts'
import { runIp } from '../tools/ip.ts'
import type { Nft } from '../tools/nft.ts'
import type { Session } from '../tools/session.ts'
import { openAllocations } from './allocations.ts'
import type { PodAddresses, PodNetwork, PodRequest } from './pod-network.ts'
import { restoreLinks, restoreRoutes } from './restore.ts'
import { type HostPort, hostPortChange, LINK_PREFIX, type PodRange, podTable, podTableOf } from './ruleset.ts'
import { linkTraffic, type Traffic } from './traffic.ts'

export interface KernelPodNetworkOptions {
  /** One for each family that pods have addresses of, the first family first; the nodes' addresses are on `lo` already. */
  readonly ranges: readonly [PodRange, ...PodRange[]]
  /** Where allocations are kept. */
  readonly directory: string
  /** Where namespaces are mounted: a directory of this cluster alone, what is unknown in it is removed. */
  readonly netnsDirectory: string
  /** Largest packet, in bytes, of the pods' links. */
  readonly mtu: number
  readonly dns: PodNetwork['dns']
  readonly exposed: boolean
  /** How many places stand ready for pods to come. */
  readonly spares: number
}

export interface KernelPodNetworkDeps {
  readonly ip: Session
  readonly nft: Nft
  readonly guard?: Guard
  readonly logger: Logger
  readonly clock: Clock
}

/** Addresses, one a family, with a namespace and a link, which have the same name. */
interface Place {
  readonly ips: readonly string[]
  readonly name: string
}

interface Allocation extends Place {
  readonly uid: string
  readonly hostPorts: readonly HostPort[]
}

/** What an older version of the program kept: one address. */
const upgraded = (kept: Allocation & { readonly ip?: string }): Allocation => ({
  ...kept,
  ips: kept.ips ?? [kept.ip ?? ''],
})

/** The same for every pod: a link has two ends, and nobody else hears. Locally administered, unicast. */
const NODE_MAC = 'ee:ee:ee:ee:ee:ee'
/** Spare places are kept like those of pods, under this and their name. */
const SPARE = 'spare-'
/** Milliseconds after the last setup at which a spare place is made: by then that pod's containers run. */
const QUIET = 1000

/** Places on one node, at most, where the range has more: the rules have an element for each. */
const MOST_PLACES = 1024

/** The link address of a pod, made from the end of its IP address. */
function macOf(ip: string): string {
  const value = parseAddress(familyOf(ip)!, ip)!
  const bytes = [24n, 16n, 8n, 0n].map(shift => ((value >> shift) & 255n).toString(16).padStart(2, '0'))
  return `0a:58:${bytes.join(':')}`
}

/** Lines of `ip` for an address of a pod, inside of it and outside. */
function wayOf(ip: string, { nodeAddress }: PodRange, name: string, mac: string) {
  return {
    inside: `addr add ${onDevice(ip, 'eth0')}`,
    // Both ends know each other's link address: nobody asks, and nobody answers.
    after: `route add default via ${nodeAddress} dev eth0 onlink
neigh replace ${nodeAddress} lladdr ${NODE_MAC} dev eth0 nud permanent`,
    outside: `route replace ${alone(ip)} dev ${name} src ${nodeAddress}
neigh replace ${ip} lladdr ${mac} dev ${name} nud permanent`,
  }
}

/** How many places a range has room for, with the first and the last address, which no pod has. */
const roomIn = ({ podCidr: { family, size } }: PodRange) => (family === 'IPv4' ? size : Math.min(size, MOST_PLACES))

/** Has lines of `ip` carried out. */
type Say = (lines: string) => Promise<unknown>

/** Interface names have 15 characters at most. */
const newName = () => LINK_PREFIX + randomBytes(4).toString('hex')

/**
 * Starts the pod network: brings the table of rules up to date, forgets pods whose namespace is gone (a reboot), and
 * removes namespaces and links that nobody knows.
 */
export async function startKernelPodNetwork(
  options: KernelPodNetworkOptions,
  { ip, nft, guard, logger, clock }: KernelPodNetworkDeps,
  signal: AbortSignal,
): Promise<PodNetwork> {
  const { netnsDirectory, ranges } = options
  const [{ podCidr }] = ranges
  const families = ranges.map(range => range.podCidr.family).join()
  const places = Math.min(...ranges.map(range => roomIn(range)))
  mkdirSync(netnsDirectory, { recursive: true })
  const allocations = openAllocations<Allocation>(options.directory, upgraded)
  /** By how far they lie after the beginning of a range; the second is the node's own. */
  const used = new Set<number>([1])
  const starting = new Map<string, Promise<PodAddresses>>()
  const spares: Place[] = []
  /** Names of places that are being taken away. */
  const leaving = new Set<string>()
  let refilling = false
  let quietAt = clock.elapsed() + QUIET
  let cursor = 1

  const rangeOf = (ip: string) => ranges.find(range => range.podCidr.family === familyOf(ip)) ?? ranges[0]
  const pathOf = (name: string) => join(netnsDirectory, name)
  const addresses = ({ name, ips }: Place): PodAddresses => ({ ips, netns: pathOf(name) })

  /** A mounted namespace is a file of another file system than its directory. */
  function stands({ name }: Place): boolean {
    try {
      return statSync(pathOf(name)).dev !== statSync(netnsDirectory).dev
    } catch {
      return false
    }
  }

  /** The next free addresses in turn: those that were given back rest as long as possible. */
  function allocate(): readonly string[] {
    for (let tries = 0; tries < places - 2; tries++) {
      cursor = cursor + 1 >= places - 1 ? 1 : cursor + 1
      if (!used.has(cursor)) return ranges.map(range => addressAt(range.podCidr, cursor))
    }
    throw new Error(`no free pod address: all ${places - 2} of ${formatCidr(podCidr)} are in use`)
  }
  /** How far addresses lie after the beginning of their range: as far in each family. */
  const offsetOf = ([first = '']: readonly string[]) =>
    ranges.map(range => offsetIn(range.podCidr, first)).find(offset => offset !== undefined) ?? -1

  async function build(place: Place, userNamespace: PodRequest['userNamespace']): Promise<void> {
    closeSync(openSync(pathOf(place.name), 'w'))
    if (userNamespace) await makeOwnedNetns(pathOf(place.name), userNamespace)
    await link(place, userNamespace ? 'nsenter' : 'unshare')
  }

  /** Makes the link, and what leads to it; `unshare` makes the namespace, too. */
  async function link(place: Place, enter: 'unshare' | 'nsenter', say: Say = ip.run): Promise<void> {
    const { ips, name } = place
    const mac = macOf(ips[0]!)
    const ways = ips.map(ip => wayOf(ip, rangeOf(ip), name, mac))
    const lines = (part: keyof (typeof ways)[number]) => ways.map(way => way[part]).join('\n')
    const input = `link add eth0 mtu ${options.mtu} address ${mac} type veth peer name ${name} mtu ${options.mtu} address ${NODE_MAC} netns ${process.pid}
link set lo up
${lines('inside')}
link set eth0 up
${lines('after')}
`
    await runTool(enter, [`--net=${pathOf(name)}`, 'ip', '-batch', '-'], { input })
    // The pod may not speak as another (rp_filter); answers for 127.0.0.1 come back through its link (route_localnet).
    for (const [sysctl, value] of [
      ['rp_filter', '1'],
      ['route_localnet', '1'],
      ['send_redirects', '0'],
    ])
      writeFileSync(`/proc/sys/net/ipv4/conf/${name}/${sysctl}`, value!)
    await say(`link set ${name} addrgenmode none\nlink set ${name} up`)
    await lead(place, say)
  }

  async function lead({ ips, name }: Place, say: Say): Promise<void> {
    await say(ips.map(address => wayOf(address, rangeOf(address), name, macOf(ips[0]!)).outside).join('\n'))
  }

  /** Makes a place; leaves nothing behind when that fails. */
  async function makePlace(ips: readonly string[], userNamespace?: PodRequest['userNamespace']): Promise<Place> {
    const place = { ips, name: newName() }
    used.add(offsetOf(ips))
    try {
      await build(place, userNamespace)
      return place
    } catch (error) {
      await dismantle(place)
      throw error
    }
  }

  /** When pods have stopped coming for a moment, makes spare places, one after the other. */
  function refill() {
    if (refilling || spares.length >= options.spares || signal.aborted) return
    refilling = true
    clock.after(Math.max(quietAt - clock.elapsed(), 0), async () => {
      try {
        if (starting.size === 0 && clock.elapsed() >= quietAt && !signal.aborted) {
          const place = await makePlace(allocate())
          allocations.put({ uid: SPARE + place.name, ...place, hostPorts: [] })
          spares.push(place)
        }
        refilling = false
        // What is being set up asks again at its end.
        if (starting.size === 0) refill()
      } catch (error) {
        // No address is left, or the program is ending: the next pod asks again.
        refilling = false
        logger.debug({ err: error }, 'network: no spare place for a pod')
      }
    })
  }

  async function create(pod: PodRequest): Promise<PodAddresses> {
    const standing = allocations.get(pod.uid)
    if (standing && stands(standing)) return addresses(standing)
    try {
      // A spare place belongs to the machine's root.
      const spare = pod.userNamespace ? undefined : spares.shift()
      const place = spare ?? (await makePlace(standing?.ips ?? allocate(), pod.userNamespace))
      const hostPorts = pod.ports.flatMap(({ containerPort, protocol, hostPort, hostIP = '' }) =>
        hostPort
          ? place.ips
              .filter(address => hostIP === '' || familyOf(hostIP) === familyOf(address))
              .map(address => ({ protocol, hostPort, hostIP, address, containerPort }))
          : [],
      )
      const allocation = { uid: pod.uid, ...place, hostPorts }
      allocations.put(allocation)
      if (spare) allocations.remove(SPARE + spare.name)
      if (hostPorts.length)
        await nft.change(hostPortChange('add', hostPorts)).catch(async error => {
          await remove(allocation)
          throw error
        })
      return addresses(place)
    } catch (cause) {
      throw new Error(`network of pod ${pod.namespace}/${pod.name}: ${(cause as Error).message}`, { cause })
    }
  }

  /** Takes the namespace and the link away; either may be missing already. Then the address is free. */
  async function dismantle({ name, ips }: { readonly name: string; readonly ips?: readonly string[] }): Promise<void> {
    leaving.add(name)
    await Promise.allSettled([
      // A process that was left behind, or a copy of the mount elsewhere, would keep the namespace and so the link.
      runTool('ip', ['link', 'delete', name]),
      runTool('umount', ['-l', pathOf(name)]),
    ])
    // Where a copy of the mount stands elsewhere, the kernel takes its time: not the program's.
    await rm(pathOf(name), { force: true })
    if (ips) used.delete(offsetOf(ips))
    leaving.delete(name)
  }

  async function remove(allocation: Allocation): Promise<void> {
    // Should the table be built anew meanwhile, it has them no more.
    if (allocation.hostPorts.length) {
      allocations.put({ ...allocation, hostPorts: [] })
      await nft
        .change(hostPortChange('delete', allocation.hostPorts))
        .catch(error => logger.debug({ err: error }, 'host ports'))
    }
    await dismantle(allocation)
    allocations.remove(allocation.uid)
  }

  async function sweep(): Promise<void> {
    const lost = allocations.all().filter(allocation => !stands(allocation))
    for (const allocation of lost) allocations.remove(allocation.uid)
    for (const { ips } of allocations.all()) used.add(offsetOf(ips))
    cursor = Math.max(...used)
    const [ready, taken] = [new Map<string, Allocation>(), new Set<string>()]
    for (const allocation of allocations.all()) {
      if (allocation.uid.startsWith(SPARE)) ready.set(allocation.name, allocation)
      else taken.add(allocation.name)
    }
    for (const allocation of ready.values()) {
      // The program ended as it gave the place away.
      if (taken.has(allocation.name)) allocations.remove(allocation.uid)
      // Made when the cluster had other families.
      else if (allocation.ips.map(familyOf).join() !== families) await remove(allocation)
      else spares.push({ ips: allocation.ips, name: allocation.name })
    }
    const known = new Set([...taken, ...ready.keys()])
    const found = [...readdirSync('/proc/sys/net/ipv4/conf'), ...readdirSync(netnsDirectory)]
    const unknown = [...new Set(found)].filter(name => name.startsWith(LINK_PREFIX) && !known.has(name))
    await Promise.all(unknown.map(name => dismantle({ name })))
    if (lost.length + unknown.length > 0)
      logger.info({ lost: lost.length, unknown: unknown.length }, 'network: swept what was left behind')
  }

  function loadTables(): Promise<void> {
    const hostPorts = allocations.all().flatMap(allocation => allocation.hostPorts)
    const { exposed } = options
    return nft.load(ranges.map(range => podTable({ ...range, places, hostPorts, exposed })).join(''))
  }

  await sweep()
  await loadTables()
  const { wakeWhole: rebuild } = createRounds(
    {
      make: loadTables,
      failed: error => logger.error({ err: error }, 'network: the tables of the pods could not be built anew'),
      clock,
    },
    signal,
  )
  for (const range of ranges) guard?.hold(podTableOf(range.podCidr.family), rebuild)
  const restorers = {
    places: () => allocations.all().filter(place => !leaving.has(place.name) && stands(place)),
    link: (place: Place) => link(place, 'nsenter', runIp),
    lead: (place: Place) => lead(place, runIp),
  }
  guard?.look('links', () => restoreLinks(restorers))
  guard?.look('ways', () => restoreRoutes(restorers))
  refill()

  return {
    dns: options.dns,
    setup(pod) {
      const ended = () => {
        starting.delete(pod.uid)
        quietAt = clock.elapsed() + QUIET
        refill()
      }
      const running = starting.get(pod.uid) ?? create(pod).finally(ended)
      starting.set(pod.uid, running)
      return running
    },
    async teardown(uid) {
      await starting.get(uid)?.catch(() => {})
      const allocation = allocations.get(uid)
      if (allocation) await remove(allocation)
    },
    list: async () => allocations.all().flatMap(({ uid }) => (uid.startsWith(SPARE) ? [] : [uid])),
    traffic() {
      const links = linkTraffic()
      const found = allocations.all().map(({ uid, name }) => [uid, links.get(name)] as const)
      return new Map(found.filter((each): each is [string, Traffic] => each[1] !== undefined))
    },
  }
}
