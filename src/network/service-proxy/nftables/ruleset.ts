/**
 * The text of the table `tutti` of one family (`ip` or `ip6`), and of changes to it. Pure. What the maps hold is told in
 * `elements.ts`.
 */

import type { Family } from '../../../lib/ip-range.ts'
import { NFT_WORDS } from '../../family.ts'
import { chainName, type Draw, drawName, type Element, type Prefix } from './elements.ts'

export const TABLE = 'tutti'

/** `ip tutti`. */
export const tableOf = (family: Family) => `${NFT_WORDS[family].table} ${TABLE}`

/** The maps come four times: for addresses and for node ports, and both again for clients from outside. */
const PREFIXES: readonly Prefix[] = ['', 'node-', 'outside-', 'outside-node-']
const isNode = (prefix: Prefix) => prefix.endsWith('node-')

/** The part of a packet by which a service is looked up, and its type. */
function keyOf(family: Family, prefix: Prefix): { key: string; type: string } {
  const { address, header } = NFT_WORDS[family]
  return isNode(prefix)
    ? { key: 'meta l4proto . th dport', type: 'inet_proto . inet_service' }
    : { key: `${header} daddr . meta l4proto . th dport`, type: `${address} . inet_proto . inet_service` }
}

/**
 * A client of a service, as a key of memory. nft (1.0.6) aborts at updates of maps whose keys are longer than 16 bytes,
 * so of IPv6 it is a hash: two clients that share one may take each other's place, and are drawn anew.
 */
function clientOf(family: Family, prefix: Prefix): { key: string; type: string } {
  const { address, header } = NFT_WORDS[family]
  const { key, type } = keyOf(family, prefix)
  return family === 'IPv4'
    ? { key: `${header} saddr . ${key}`, type: `${address} . ${type}` }
    : { key: `jhash ${header} saddr . ${key} mod 4294967295 seed 0x7577`, type: 'mark' }
}

/** How many clients' places are remembered at most, for each of the affinity maps. */
const AFFINITY_SIZE = 65_536

function maps(family: Family): string {
  const { address } = NFT_WORDS[family]
  return PREFIXES.map(prefix => {
    const { type } = keyOf(family, prefix)
    return `
  map ${prefix}services { type ${type} : verdict; }
  map ${prefix}endpoints { type ${type} . mark : ${address} . inet_service; }
  map ${prefix}slots { type ${type} . mark : mark; }
  map ${prefix}backends { type ${type} . mark : ${address} . inet_service; }
  map ${prefix}affinity { type ${clientOf(family, prefix).type} : mark; flags dynamic, timeout; timeout 3h; size ${AFFINITY_SIZE}; }`
  }).join('')
}

export interface Chain {
  readonly name: string
  readonly rules: readonly string[]
}

/** The rules that draw one of `count` backends. */
function drawRules(draw: Draw, family: Family): string[] {
  const { prefix, count, seconds } = draw
  const { header } = NFT_WORDS[family]
  const { key } = keyOf(family, prefix)
  // A number that was drawn can be part of a key only by way of the packet's mark; `unmark` takes it off again.
  const random = `meta mark set numgen random mod ${count}`
  if (seconds === undefined) return [`${random} dnat ${header} to ${key} . meta mark map @${prefix}endpoints`]
  const { key: client } = clientOf(family, prefix)
  // A hash is looked up by way of the mark, too.
  const lookup = family === 'IPv4' ? `meta mark set ${client}` : `meta mark set ${client} meta mark set meta mark`
  const remember = `update @${prefix}affinity { ${client} timeout ${seconds}s : meta mark }`
  const go = `dnat ${header} to ${key} . meta mark map @${prefix}backends`
  return [
    // Seen before, and the backend is still there: stay. A rule ends at the first lookup that finds nothing.
    `${lookup} map @${prefix}affinity ${remember} ${go}`,
    // An update does not change what is remembered, so what is stale goes first.
    `delete @${prefix}affinity { ${client} : 0 }`,
    `${random} meta mark set ${key} . meta mark map @${prefix}slots ${remember} ${go}`,
  ]
}

/** The chains of a draw: the one that draws, and before it the one that looks who comes. */
function drawChains(draw: Draw, family: Family): Chain[] {
  const drawing = { name: drawName(draw), rules: drawRules(draw, family) }
  if (!draw.sources) return [drawing]
  const { header } = NFT_WORDS[family]
  const guard = [`${header} saddr != { ${draw.sources.join(', ')} } drop`, `goto ${drawing.name}`]
  return [drawing, { name: chainName(draw), rules: guard }]
}

/** The chains of draws, each once. */
export function chainsOf(draws: readonly Draw[], family: Family): Chain[] {
  const chains = draws.flatMap(draw => drawChains(draw, family))
  return [...new Map(chains.map(chain => [chain.name, chain])).values()]
}

export interface RulesetOptions {
  readonly family: Family
  /** Range of the services' addresses, as in `10.96.0.0/16`. */
  readonly serviceCidr: string
  /** Interfaces from which pods come, as nft writes them: `"tutti-*"`. */
  readonly podLinks: string
  /** The address of this node that other nodes have a route to. */
  readonly nodeAddress: string
  /** Node ports and load balancers answer from outside the machine, too. */
  readonly exposed: boolean
  /** Pods may come in by links of others, too: services' own addresses answer on every link. */
  readonly foreignPods?: boolean
}

const byMap = (elements: readonly Element[]) => Map.groupBy(elements, ({ map }) => map)
const written = ({ key, value }: Element) => (value ? `${key} : ${value}` : key)

/** Maps that hold what services say, as opposed to what the kernel remembers. */
const FILLED = PREFIXES.flatMap(prefix => ['services', 'endpoints', 'slots', 'backends'].map(map => prefix + map))

/** The chains of every packet. */
function baseRules({ family, serviceCidr, podLinks, nodeAddress, exposed, foreignPods }: RulesetOptions): string {
  const { header } = NFT_WORDS[family]
  const to = keyOf(family, '').key
  const toPort = keyOf(family, 'node-').key
  const unknown = `${header} daddr ${serviceCidr} goto refuse`
  const refused = `ct state new ${to} @refused goto refuse`
  // The kernel lets no packet of ::1 out of the machine at all.
  const fromLoopback =
    family === 'IPv4'
      ? `ip saddr 127.0.0.0/8 oifname != { "lo", ${podLinks} } ct status dnat snat to ${nodeAddress}`
      : ''
  return `
  chain services {
    ${to} vmap @services
    ${header} daddr != ${serviceCidr} fib daddr type local ${toPort} vmap @node-services
  }
  chain outside {
    ${to} vmap @outside-services
    fib daddr type local ${toPort} vmap @outside-node-services
    goto services
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain prerouting {
    iifname ${podLinks} goto services
    ${foreignPods ? `${header} daddr ${serviceCidr} goto services` : ''}
    ${exposed ? 'goto outside' : ''}
  }
  chain output { jump services; }
  chain unmark { ct state new ct status dnat meta mark set 0; }
  chain postrouting {
    # From outside by way of this node to another one: the answer must come back by the same way.
    # What this node says itself has an address to answer to, unless it said it by its loopback.
    iifname != { "lo", ${podLinks} } oifname != { "lo", ${podLinks} } ct status dnat fib saddr type != local snat to ${nodeAddress}
    ${fromLoopback}
  }
  chain forward {
    ${unknown}
    ${refused}
  }
  # Of IPv6 the services' range is local: there are no other routes by way of lo.
  chain input {
    ${unknown}
    ${refused}
  }
  chain out {
    ct state new ct status dnat meta mark set 0
    ${unknown}
    ${refused}
  }`
}

/**
 * The whole table. `fresh` deletes what stood before; otherwise rules and elements are replaced and only the memory of
 * affinity stays. Either is one transaction: traffic sees the old rules or the new ones.
 */
export function wholeTable(
  options: RulesetOptions,
  elements: readonly Element[],
  chains: readonly Chain[],
  fresh: boolean,
): string {
  const { family } = options
  const table = tableOf(family)
  const filled = [...byMap(elements)].map(
    ([map, list]) => `add element ${table} ${map} {\n${list.map(written).join(',\n')}\n}`,
  )
  return `table ${table}
${fresh ? `delete table ${table}` : ''}
table ${table} {${maps(family)}
  set refused { type ${keyOf(family, '').type}; }
  chain services {}
  chain outside {}
  chain refuse {}
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain output { type nat hook output priority -100; }
  chain unmark { type filter hook prerouting priority dstnat + 5; }
  chain postrouting { type nat hook postrouting priority srcnat - 5; }
  chain forward { type filter hook forward priority filter; }
  chain input { type filter hook input priority filter; }
  chain out { type filter hook output priority filter; }
${chains.map(({ name }) => `  chain ${name} {}`).join('\n')}
}
flush table ${table}
flush set ${table} refused
${FILLED.map(map => `flush map ${table} ${map}`).join('\n')}
table ${table} {${baseRules(options)}
${chains.map(({ name, rules }) => `  chain ${name} {\n    ${rules.join('\n    ')}\n  }`).join('\n')}
}
${filled.join('\n')}
`
}

/** Commands that make new chains, take elements out and put elements in. */
export function changeCommands(
  family: Family,
  chains: readonly Chain[],
  removed: readonly Element[],
  added: readonly Element[],
): string {
  const table = tableOf(family)
  const lines: string[] = []
  for (const { name, rules } of chains) {
    lines.push(`add chain ${table} ${name}`)
    for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`)
  }
  for (const [map, list] of byMap(removed))
    lines.push(`delete element ${table} ${map} { ${list.map(({ key }) => key).join(', ')} }`)
  for (const [map, list] of byMap(added)) lines.push(`add element ${table} ${map} { ${list.map(written).join(', ')} }`)
  return lines.join('\n')
}
