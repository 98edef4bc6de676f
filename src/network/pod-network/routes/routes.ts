/**
 * Ways to the pods of other machines: a plain route by the machine's address where it is on the same segment, VXLAN
 * where it is not. It follows Node objects, owns the routes of one routing protocol number, and tells the pod network's
 * table who belongs to the cluster.
 */
import { writeFileSync } from 'node:fs'
import type { Node } from '../../../api/generated/types/core-v1.ts'
import type { Informer } from '../../../client/informer-types.ts'
import type { Clock } from '../../../lib/clock.ts'
import { type Family, familyOf } from '../../../lib/ip-range.ts'
import type { Logger } from '../../../lib/log.ts'
import type { Guard } from '../../guard/guard.ts'
import { createRounds } from '../../rounds.ts'
import { attempt, run } from '../../tools/command.ts'
import { runIp } from '../../tools/ip.ts'
import type { Nft } from '../../tools/nft.ts'
import type { Session } from '../../tools/session.ts'
import { NODES_SET, podTableOf } from '../ruleset.ts'
import { type Peer, peersOf, type Self } from './peers.ts'
import { linkCommands, peerCommands, VXLAN_LINK } from './vxlan.ts'

/** By which the kernel marks our routes. */
export const ROUTE_PROTOCOL = 174
/** After a change that failed, ms: a link may be down. */
const RETRY_MS = 2000

export interface RoutesDeps {
  readonly nodes: Informer<Node>
  readonly self: Self
  /** One a family: `10.244.0.0/16`. */
  readonly clusterCidrs: readonly string[]
  /** Largest packet on the way out of the machine, in bytes. */
  readonly mtu: number
  readonly ip: Session
  readonly nft: Nft
  readonly guard?: Guard
  readonly clock: Clock
  readonly logger: Logger
}

export interface Routes {
  /** Resolves when the peers that were known at the call are in the kernel. */
  idle(): Promise<void>
}

/**
 * The device by which an address is reached directly; undefined where another machine is between. Rejects where there is
 * no way at all.
 */
async function segmentOf(address: string): Promise<string | undefined> {
  const { code, stdout } = await attempt('ip', ['-o', 'route', 'get', address])
  if (code !== 0) throw new Error(`there is no way to ${address}`)
  return / via /.test(stdout) ? undefined : / dev (\S+)/.exec(stdout)?.[1]
}

/** What an address without a way is: an error, or none. */
const orNone = (allowed: boolean) => (error: unknown) => {
  if (!allowed) throw error
  return undefined
}

/** Ranges that our routes lead to now, from an earlier run. */
async function standingRoutes(): Promise<string[]> {
  const shown = await Promise.all(
    ['-4', '-6'].map(family => attempt('ip', [family, '-o', 'route', 'show', 'proto', String(ROUTE_PROTOCOL)])),
  )
  return shown.flatMap(({ stdout }) => stdout.split('\n').flatMap(line => /^(\S+\/\d+) /.exec(line)?.[1] ?? []))
}

/** Starts following; resolves when the nodes that are known are in the kernel. Ends with `signal`. */
export async function startRoutes(deps: RoutesDeps, signal: AbortSignal): Promise<Routes> {
  const { nodes, self, clusterCidrs, ip, nft, clock, logger } = deps
  /** What stands in the kernel by range: its machine's addresses; none for what an earlier run left. */
  const standing = new Map<string, string>()
  let tunnel = false
  const families = self.podCidrs.flatMap(each => familyOf(each) ?? [])
  const members = new Map<Family, string>()

  async function lead(peer: Peer): Promise<void> {
    // In its second family a machine may have no way to the other: then it goes through the first one.
    const inFirst = peer.address === peer.outer
    const device = peer.address && (await segmentOf(peer.address).catch(orNone(!inFirst)))
    if (device) {
      // Answers to programs of this machine that use its loopback for a service come in here.
      writeFileSync(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, '1')
      await ip.run(`route replace ${peer.podCidr} via ${peer.address} dev ${device} proto ${ROUTE_PROTOCOL}`)
      return
    }
    if (!tunnel) {
      // It may stand from before.
      if ((await attempt('ip', ['link', 'show', VXLAN_LINK])).code === 0)
        await run('ip', ['link', 'delete', VXLAN_LINK])
      await runIp(linkCommands(self, deps.mtu).join('\n'))
      writeFileSync(`/proc/sys/net/ipv4/conf/${VXLAN_LINK}/route_localnet`, '1')
      tunnel = true
    }
    const commands = peerCommands(peer, ROUTE_PROTOCOL)
    await run('bridge', commands.bridge.split(' '))
    await runIp(commands.ip)
  }

  async function admit(family: Family, addresses: readonly string[]): Promise<void> {
    const text = addresses.toSorted().join(', ')
    if (text === (members.get(family) ?? '')) return
    const table = podTableOf(family)
    const fill = text ? `\nadd element ${table} ${NODES_SET} { ${text} }` : ''
    await nft.change(`flush set ${table} ${NODES_SET}${fill}`)
    members.set(family, text)
  }

  async function settle(): Promise<void> {
    const peers = peersOf(nodes.list(), self, clusterCidrs)
    for (const family of families) {
      const addresses = [...peers.values()].flatMap(({ address, outer }) => [address ?? outer, outer])
      await admit(
        family,
        [...new Set(addresses)].filter(each => familyOf(each) === family),
      )
    }
    for (const range of standing.keys())
      if (!peers.has(range)) {
        await attempt('ip', ['route', 'delete', range, 'proto', String(ROUTE_PROTOCOL)])
        standing.delete(range)
        logger.info({ range }, 'network: a node is gone, and the way to its pods')
      }
    for (const [range, peer] of peers) {
      const place = `${peer.address} ${peer.outer}`
      if (standing.get(range) === place) continue
      await lead(peer)
      standing.set(range, place)
      logger.info(
        { node: peer.name, address: peer.address ?? peer.outer, range },
        'network: a way to the pods of another node',
      )
    }
  }

  const { wakeWhole: changed, idle } = createRounds(
    {
      make: settle,
      failed: error =>
        logger.warn({ err: error, retryInMs: RETRY_MS }, 'network: the ways to other nodes are not all there'),
      clock,
      retryMs: RETRY_MS,
    },
    signal,
  )

  for (const family of families)
    deps.guard?.hold(podTableOf(family), () => {
      members.delete(family)
      changed()
    })
  /** Leads anew where routes are gone, by themselves or with their link. */
  async function restore(): Promise<readonly string[]> {
    const there = new Set(await standingRoutes())
    const lost = [...standing.keys()].filter(range => !there.has(range))
    if (lost.length === 0) return []
    if (tunnel) tunnel = (await attempt('ip', ['link', 'show', VXLAN_LINK])).code === 0
    for (const range of lost) standing.set(range, '')
    changed()
    await idle()
    return lost.map(range => `route ${range}`)
  }
  for (const what of ['links', 'ways'] as const) deps.guard?.look(what, restore)
  for (const range of await standingRoutes()) standing.set(range, '')
  await nodes.synced()
  const end = nodes.onChange(({ previous, current }) => {
    const view = (node: Node | undefined) => JSON.stringify([node?.spec, node?.status?.addresses])
    if (view(previous) !== view(current)) changed()
  })
  signal.addEventListener('abort', end, { once: true })
  changed()
  await idle()
  return { idle }
}
