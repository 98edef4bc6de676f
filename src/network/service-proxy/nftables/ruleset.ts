/** The text of the table `ip tutti`, and of changes to it. Pure. What the maps hold is told in `elements.ts`. */
import { type Cidr, formatIpv4 } from '../../../lib/ipv4.ts'
import { chainName, type Draw, type Element } from './elements.ts'

export const TABLE = 'tutti'

/** The maps come twice: for addresses of services, and for node ports. */
const VARIANTS = [
  { prefix: '', key: 'ip daddr . meta l4proto . th dport', type: 'ipv4_addr . inet_proto . inet_service' },
  { prefix: 'node-', key: 'meta l4proto . th dport', type: 'inet_proto . inet_service' },
] as const

/** How many clients' places are remembered at most, for each of the two affinity maps. */
const AFFINITY_SIZE = 65_536

function maps(): string {
  return VARIANTS.map(
    ({ prefix, type }) => `
  map ${prefix}services { type ${type} : verdict; }
  map ${prefix}endpoints { type ${type} . mark : ipv4_addr . inet_service; }
  map ${prefix}slots { type ${type} . mark : mark; }
  map ${prefix}backends { type ${type} . mark : ipv4_addr . inet_service; }
  map ${prefix}affinity { type ipv4_addr . ${type} : mark; flags dynamic, timeout; timeout 3h; size ${AFFINITY_SIZE}; }`,
  ).join('')
}

/** The rules of the chains (both variants) that draw one of `count` backends. */
export function drawChains(draw: Draw): { name: string; rules: string[] }[] {
  return VARIANTS.map(({ prefix, key }) => {
    // A number that was drawn can be part of a key only by way of the packet's mark; `unmark` takes it off again.
    const random = `meta mark set numgen random mod ${draw.count}`
    const name = chainName(prefix, draw)
    if (draw.seconds === undefined)
      return { name, rules: [`${random} dnat ip to ${key} . meta mark map @${prefix}endpoints`] }
    const client = `ip saddr . ${key}`
    const remember = `update @${prefix}affinity { ${client} timeout ${draw.seconds}s : meta mark }`
    const go = `dnat ip to ${key} . meta mark map @${prefix}backends`
    return {
      name,
      rules: [
        // Seen before, and the backend is still there: stay. A rule ends at the first lookup that finds nothing.
        `meta mark set ${client} map @${prefix}affinity ${remember} ${go}`,
        // An update does not change what is remembered, so what is stale goes first.
        `delete @${prefix}affinity { ${client} : 0 }`,
        `${random} meta mark set ${key} . meta mark map @${prefix}slots ${remember} ${go}`,
      ],
    }
  })
}

export interface RulesetOptions {
  readonly serviceCidr: Cidr
  /** Interfaces from which pods come, as nft writes them: `"tutti-*"`. */
  readonly podLinks: string
  /** Node ports and load balancers answer from outside the machine, too. */
  readonly exposed: boolean
}

const byMap = (elements: readonly Element[]) => Map.groupBy(elements, ({ map }) => map)
const written = ({ key, value }: Element) => (value ? `${key} : ${value}` : key)

/**
 * The whole table. `fresh` deletes what stood before; otherwise rules and elements are replaced and only the memory of
 * affinity stays. Either is one transaction: traffic sees the old rules or the new ones.
 */
export function wholeTable(
  { serviceCidr, podLinks, exposed }: RulesetOptions,
  elements: readonly Element[],
  draws: readonly Draw[],
  fresh: boolean,
): string {
  const services = `${formatIpv4(serviceCidr.base)}/${serviceCidr.bits}`
  const chains = draws.flatMap(drawChains)
  const filled = [...byMap(elements)].map(
    ([map, list]) => `add element ip ${TABLE} ${map} {\n${list.map(written).join(',\n')}\n}`,
  )
  const emptied = [
    'refused',
    ...VARIANTS.flatMap(({ prefix }) => [
      `${prefix}services`,
      `${prefix}endpoints`,
      `${prefix}slots`,
      `${prefix}backends`,
    ]),
  ]
  return `table ip ${TABLE}
${fresh ? `delete table ip ${TABLE}` : ''}
table ip ${TABLE} {${maps()}
  set refused { type ipv4_addr . inet_proto . inet_service; }
  chain services {}
  chain refuse {}
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain output { type nat hook output priority -100; }
  chain unmark { type filter hook prerouting priority dstnat + 5; }
  chain forward { type filter hook forward priority filter; }
  chain out { type filter hook output priority filter; }
${chains.map(({ name }) => `  chain ${name} {}`).join('\n')}
}
flush table ip ${TABLE}
${emptied.map(map => `flush ${map === 'refused' ? 'set' : 'map'} ip ${TABLE} ${map}`).join('\n')}
table ip ${TABLE} {
  chain services {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto . th dport vmap @node-services
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject
  }
  chain prerouting {
    ${exposed ? '' : `iifname ${podLinks} `}jump services
  }
  chain output { jump services; }
  chain unmark { ct state new ct status dnat meta mark set 0; }
  chain forward { ip daddr ${services} goto refuse; }
  chain out {
    ct state new ct status dnat meta mark set 0
    ip daddr ${services} goto refuse
    ip daddr . meta l4proto . th dport @refused goto refuse
  }
${chains.map(({ name, rules }) => `  chain ${name} {\n    ${rules.join('\n    ')}\n  }`).join('\n')}
}
${filled.join('\n')}
`
}

/** Commands that make new chains, take elements out and put elements in. */
export function changeCommands(draws: readonly Draw[], removed: readonly Element[], added: readonly Element[]): string {
  const lines: string[] = []
  for (const { name, rules } of draws.flatMap(drawChains)) {
    lines.push(`add chain ip ${TABLE} ${name}`)
    for (const rule of rules) lines.push(`add rule ip ${TABLE} ${name} ${rule}`)
  }
  for (const [map, list] of byMap(removed))
    lines.push(`delete element ip ${TABLE} ${map} { ${list.map(({ key }) => key).join(', ')} }`)
  for (const [map, list] of byMap(added))
    lines.push(`add element ip ${TABLE} ${map} { ${list.map(written).join(', ')} }`)
  return lines.join('\n')
}
