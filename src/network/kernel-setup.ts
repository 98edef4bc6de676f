/** What the kernel network needs of the machine as a whole: the node's address, the way to services, forwarding. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../lib/log.ts'
import { closeFirewalls, openFirewalls } from './firewall.ts'
import { ROUTE_PROTOCOL } from './pod-network/routes/routes.ts'
import { VXLAN_LINK } from './pod-network/routes/vxlan.ts'
import { LINK_PREFIX, POD_TABLE } from './pod-network/ruleset.ts'
import { POLICY_TABLE } from './policy/ruleset.ts'
import { TABLE } from './service-proxy/nftables/ruleset.ts'
import { attempt, run } from './tools/command.ts'

const FORWARDING = '/proc/sys/net/ipv4/ip_forward'

/** Largest packet on a link of which nobody said otherwise: within one machine bigger is faster. */
const LOCAL_MTU = 65_535

/**
 * Bytes that fit in a packet on the way out of the machine, which is by the device of `address` where that is given;
 * the largest of all when there is no way out.
 */
async function uplinkMtu(address: string | undefined): Promise<number> {
  const found = address
    ? await attempt('ip', ['-o', 'address', 'show', 'to', `${address}/32`])
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

/**
 * Puts the node's address on `lo`, routes service addresses there (so that there is a way to them, and a source address
 * that pods can answer), and switches forwarding on. All of it may stand already.
 */
export async function setUpKernel(
  options: { readonly nodeAddress: string; readonly serviceCidr: string; readonly uplinkAddress?: string },
  deps: { readonly logger: Logger },
): Promise<KernelSetup> {
  const { nodeAddress, serviceCidr } = options
  const [mtu, notes] = await Promise.all([
    uplinkMtu(options.uplinkAddress),
    openFirewalls(deps),
    run(
      'ip',
      ['-batch', '-'],
      `link set lo up
address replace ${nodeAddress}/32 dev lo
route replace ${serviceCidr} dev lo src ${nodeAddress}
`,
    ),
  ])
  if (readFileSync(FORWARDING, 'utf8').trim() === '0') {
    writeFileSync(FORWARDING, '1')
    deps.logger.info({}, 'network: forwarding of packets was switched on (net.ipv4.ip_forward)')
  }
  return { mtu, notes }
}

/** Takes everything of a cluster out of the kernel: links, rules, addresses, routes. For `tutti delete`. */
export async function removeKernelNetwork(options: {
  readonly nodeAddress: string
  readonly serviceCidr: string
  readonly netnsDirectory: string
}): Promise<void> {
  const links = readdirSync('/proc/sys/net/ipv4/conf').filter(
    name => name.startsWith(LINK_PREFIX) || name === VXLAN_LINK,
  )
  await attempt('ip', ['route', 'flush', 'proto', String(ROUTE_PROTOCOL)])
  await Promise.all(links.map(link => attempt('ip', ['link', 'delete', link])))
  let namespaces: string[] = []
  try {
    namespaces = readdirSync(options.netnsDirectory)
  } catch {}
  for (const name of namespaces) await attempt('umount', ['-l', join(options.netnsDirectory, name)])
  for (const name of namespaces) rmSync(join(options.netnsDirectory, name), { force: true })
  rmSync(options.netnsDirectory, { recursive: true, force: true })
  for (const table of [TABLE, POD_TABLE, POLICY_TABLE])
    for (const family of ['ip', 'ip6']) await attempt('nft', ['delete', 'table', family, table])
  await attempt('ip', ['route', 'delete', options.serviceCidr, 'dev', 'lo'])
  await attempt('ip', ['address', 'delete', `${options.nodeAddress}/32`, 'dev', 'lo'])
  await closeFirewalls()
}
