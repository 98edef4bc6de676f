/** What the kernel network needs of the machine as a whole: the node's addresses, the way to services, forwarding. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Family } from '../lib/ip-range.ts'
import type { Logger } from '../lib/log.ts'
import { alone, onDevice } from './family.ts'
import { closeFirewalls, openFirewalls } from './firewall.ts'
import type { FamilyLayout } from './layout.ts'
import { ROUTE_PROTOCOL } from './pod-network/routes/routes.ts'
import { VXLAN_LINK } from './pod-network/routes/vxlan.ts'
import { LINK_PREFIX, POD_TABLE } from './pod-network/ruleset.ts'
import { POLICY_TABLE } from './policy/ruleset.ts'
import { TABLE } from './service-proxy/nftables/ruleset.ts'
import { attempt } from './tools/command.ts'
import { runIp } from './tools/ip.ts'
import type { Session } from './tools/session.ts'

const SYSCTL = '/proc/sys/net'
const FORWARDING: Readonly<Record<Family, string>> = { IPv4: 'ipv4/ip_forward', IPv6: 'ipv6/conf/all/forwarding' }

/** Largest packet on a link of which nobody said otherwise: within one machine bigger is faster. */
const LOCAL_MTU = 65_535

/**
 * Bytes that fit in a packet on the way out of the machine, which is by the device of `address` where that is given;
 * the largest of all when there is no way out.
 */
async function uplinkMtu(address: string | undefined): Promise<number> {
  const found = address
    ? await attempt('ip', ['-o', 'address', 'show', 'to', alone(address)])
    : await attempt('ip', ['-o', 'route', 'show', 'default'])
  const device = (address ? /^\d+: (\S+)/ : / dev (\S+)/).exec(found.stdout)?.[1]
  if (!device) return LOCAL_MTU
  const link = await attempt('ip', ['-o', 'link', 'show', 'dev', device])
  return Number(/ mtu (\d+)/.exec(link.stdout)?.[1] ?? 1500)
}

export interface KernelSetup {
  readonly mtu: number
  readonly notes: readonly string[]
}

/** Lines of `ip` for one family. Of IPv6 the services' range is local: there are no other routes by way of lo. */
const lines = ({ family, nodeAddress, serviceCidr }: FamilyLayout) => [
  `address replace ${onDevice(nodeAddress, 'lo')}`,
  `route replace ${family === 'IPv6' ? 'local ' : ''}${serviceCidr} dev lo src ${nodeAddress}`,
]

const read = (name: string) => readFileSync(join(SYSCTL, name), 'utf8').trim()

/** Throws an Error where the kernel has no IPv6, or it is switched off. */
function checkIpv6(): void {
  const file = 'ipv6/conf/all/disable_ipv6'
  if (!existsSync(join(SYSCTL, file)))
    throw new Error('the cluster has addresses of IPv6, which the kernel of this machine does not have')
  if (read(file) !== '0')
    throw new Error(
      'the cluster has addresses of IPv6, which is switched off here (sysctl net.ipv6.conf.all.disable_ipv6)',
    )
}

/**
 * Who forwards IPv6 does not listen to routers any more, unless told to; a machine that has its address and its way out
 * from one would lose both.
 */
function keepRouters(): void {
  for (const device of readdirSync(join(SYSCTL, 'ipv6/conf'))) {
    const file = `ipv6/conf/${device}/accept_ra`
    if (read(file) === '1') writeFileSync(join(SYSCTL, file), '2')
  }
}

function forward(family: Family, logger: Logger): void {
  const file = FORWARDING[family]
  if (read(file) !== '0') return
  if (family === 'IPv6') keepRouters()
  writeFileSync(join(SYSCTL, file), '1')
  const sysctl = `net.${file.replaceAll('/', '.')}`
  logger.info({}, `network: forwarding of packets was switched on (${sysctl})`)
}

/**
 * Puts the node's addresses on `lo`, routes service addresses there (so that there is a way to them, and a source
 * address that pods can answer), and switches forwarding on. All of it may stand already. Rejects where the machine
 * lacks a family.
 */
export async function setUpKernel(
  options: { readonly layout: readonly FamilyLayout[]; readonly uplinkAddress?: string },
  deps: { readonly logger: Logger },
): Promise<KernelSetup> {
  const { layout } = options
  const families = layout.map(({ family }) => family)
  if (families.includes('IPv6')) checkIpv6()
  const [mtu, notes] = await Promise.all([
    uplinkMtu(options.uplinkAddress),
    openFirewalls(families, deps),
    runIp(['link set lo up', ...layout.flatMap(lines)].join('\n')),
  ])
  for (const family of families) forward(family, deps.logger)
  return { mtu, notes }
}

/** Puts addresses and routes of `setUpKernel` back that are gone; resolves with their names. */
export async function restoreWays(layout: readonly FamilyLayout[], ip: Session): Promise<string[]> {
  const missing: string[] = []
  for (const line of layout.flatMap(lines))
    try {
      await ip.run(line.replace(' replace ', ' add '))
      missing.push(`${line.split(' ')[0]} ${line.split(' ').find(word => word.includes('/'))}`)
    } catch (error) {
      if (!/exists|already/.test((error as Error).message)) throw error
    }
  return missing
}

/** Takes everything of a cluster out of the kernel: links, rules, addresses, routes. For `tutti delete`. */
export async function removeKernelNetwork(layout: readonly FamilyLayout[]): Promise<void> {
  const links = readdirSync('/proc/sys/net/ipv4/conf').filter(
    name => name.startsWith(LINK_PREFIX) || name === VXLAN_LINK,
  )
  for (const family of ['-4', '-6']) await attempt('ip', [family, 'route', 'flush', 'proto', String(ROUTE_PROTOCOL)])
  await Promise.all(links.map(link => attempt('ip', ['link', 'delete', link])))
  for (const table of [TABLE, POD_TABLE, POLICY_TABLE])
    for (const family of ['ip', 'ip6']) await attempt('nft', ['delete', 'table', family, table])
  for (const { family, nodeAddress, serviceCidr } of layout) {
    const type = family === 'IPv6' ? ['local'] : []
    await attempt('ip', ['route', 'delete', ...type, serviceCidr, 'dev', 'lo'])
    await attempt('ip', ['address', 'delete', alone(nodeAddress), 'dev', 'lo'])
  }
  await closeFirewalls()
}
