/**
 * Other firewalls of the machine. A packet must pass every table, so a policy of DROP elsewhere (Docker sets one, ufw
 * does) stops pods whatever our own rules say. Only what lets our own links through is added, and only to such chains.
 */
import { readFileSync } from 'node:fs'
import type { Family } from '../lib/ip-range.ts'
import type { Logger } from '../lib/log.ts'
import { NFT_WORDS } from './family.ts'
import { LINK_PREFIX } from './pod-network/ruleset.ts'
import { attempt } from './tools/command.ts'

const COMMENT = 'tutti'

interface BaseChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook?: string
  readonly policy?: string
}

/** Base chains that drop by default what is forwarded, or what comes in. Takes the output of `nft -j list chains`. */
export function droppingChains(json: string, families: readonly Family[]): BaseChain[] {
  const tables = ['inet', ...families.map(family => NFT_WORDS[family].table)]
  const { nftables } = JSON.parse(json) as { nftables: { chain?: BaseChain }[] }
  return nftables.flatMap(({ chain }) =>
    chain &&
    chain.policy === 'drop' &&
    (chain.hook === 'forward' || chain.hook === 'input') &&
    tables.includes(chain.family) &&
    !chain.table.startsWith('tutti')
      ? [chain]
      : [],
  )
}

/** The directions to open in a chain: pods come in; when forwarding, answers and host ports go out to them, too. */
const directions = (hook: string | undefined) => (hook === 'forward' ? ['i', 'o'] : ['i'])

/** The accept rules of a chain that iptables owns, and how they are asked for, put in, and taken out. */
function iptablesRules(chain: BaseChain): string[][] {
  return directions(chain.hook).map(direction => [
    chain.name,
    `-${direction}`,
    `${LINK_PREFIX}+`,
    '-m',
    'comment',
    '--comment',
    COMMENT,
    '-j',
    'ACCEPT',
  ])
}

/** The program for chains of a family that iptables owns. */
const IPTABLES: Readonly<Record<string, string>> = { ip: 'iptables', ip6: 'ip6tables' }

const ownedByIptables = ({ family, table, name }: BaseChain) =>
  family in IPTABLES && table === 'filter' && (name === 'FORWARD' || name === 'INPUT')

/** The older iptables keeps its rules where nft does not see them. */
function legacyInUse(family: string): boolean {
  try {
    return readFileSync(`/proc/net/${family}_tables_names`, 'utf8').includes('filter')
  } catch {
    return false
  }
}

async function openLegacy(family: string): Promise<void> {
  if (!legacyInUse(family)) return
  const command = `${IPTABLES[family]}-legacy`
  for (const [name, hook] of [
    ['FORWARD', 'forward'],
    ['INPUT', 'input'],
  ] as const) {
    const { code, stdout } = await attempt(command, ['-w', '-S', name])
    if (code !== 0 || !stdout.includes(`-P ${name} DROP`)) continue
    await openIptables(command, { family, table: 'filter', name, hook })
  }
}

async function openIptables(command: string, chain: BaseChain): Promise<boolean> {
  for (const rule of iptablesRules(chain)) {
    const standing = await attempt(command, ['-w', '-C', ...rule])
    if (standing.code !== 0 && (await attempt(command, ['-w', '-I', ...rule])).code !== 0) return false
  }
  return true
}

async function openNft({ family, table, name, hook }: BaseChain): Promise<boolean> {
  const { stdout } = await attempt('nft', ['list', 'chain', family, table, name])
  if (stdout.includes(`comment "${COMMENT}"`)) return true
  const rules = directions(hook).map(
    direction =>
      `insert rule ${family} ${table} ${name} ${direction}ifname "${LINK_PREFIX}*" accept comment "${COMMENT}"`,
  )
  return (await attempt('nft', [rules.join('; ')])).code === 0
}

/** Lets pods through the machine's other firewalls. Resolves with a sentence for each that could not be opened. */
export async function openFirewalls(
  families: readonly Family[],
  { logger }: { readonly logger: Logger },
): Promise<string[]> {
  const notes: string[] = []
  const listed = await attempt('nft', ['-j', 'list', 'chains'])
  for (const chain of listed.code === 0 ? droppingChains(listed.stdout, families) : []) {
    const opened =
      (ownedByIptables(chain) && (await openIptables(IPTABLES[chain.family]!, chain))) || (await openNft(chain))
    const what = `${chain.family} ${chain.table} ${chain.name}`
    if (opened) logger.info({ chain: what }, 'network: pods are let through a chain that drops by default')
    else notes.push(`the firewall chain ${what} drops by default and could not be opened for ${LINK_PREFIX}*`)
  }
  for (const family of families) await openLegacy(NFT_WORDS[family].table)
  return notes
}

/** Takes out what `openFirewalls` put in. */
export async function closeFirewalls(): Promise<void> {
  for (const command of Object.values(IPTABLES).flatMap(name => [name, `${name}-legacy`]))
    for (const [name, hook] of [
      ['FORWARD', 'forward'],
      ['INPUT', 'input'],
    ] as const)
      for (const rule of iptablesRules({ family: 'ip', table: 'filter', name, hook }))
        await attempt(command, ['-w', '-D', ...rule])
  const listed = await attempt('nft', ['-a', 'list', 'ruleset'])
  let at = { family: '', table: '', chain: '' }
  for (const line of listed.stdout.split('\n')) {
    const table = /^table (\S+) (\S+) \{/.exec(line)
    const chain = /^\tchain (\S+) \{/.exec(line)
    if (table) at = { ...at, family: table[1]!, table: table[2]! }
    if (chain) at = { ...at, chain: chain[1]! }
    const rule = new RegExp(`"${LINK_PREFIX}\\*".*comment "${COMMENT}" # handle (\\d+)`).exec(line)
    if (rule) await attempt('nft', ['delete', 'rule', at.family, at.table, at.chain, 'handle', rule[1]!])
  }
}
