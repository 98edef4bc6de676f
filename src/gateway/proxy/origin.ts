/**
 * Who asks, and how, as backends are told. A client is believed nothing of that; a proxy before the gateway, by an address
 * that is trusted, is: what it says of its client in `X-Forwarded-*` counts.
 */
import { unmapped } from '../../lib/ip-address.ts'
import { type Cidr, familyOf, inCidr } from '../../lib/ip-range.ts'
import type { Inbound } from './inbound.ts'

export interface Origin {
  /** The client and all proxies behind it, with commas between. */
  readonly chain: string
  /** The client's address, as far as it is believed. */
  readonly client: string
  /** The host that the client named, with a port where it did. */
  readonly host: string
  readonly port: string
  /** The client came with TLS. */
  readonly secure: boolean
}

export type OriginOf = (inbound: Inbound) => Origin

const PORT = /:(\d+)$/
const portOf = (host: string, secure: boolean) => PORT.exec(host)?.[1] ?? (secure ? '443' : '80')

/** Of a client that is no trusted proxy. */
const direct: OriginOf = ({ client, authority, secure }) => ({
  chain: client,
  client,
  host: authority,
  port: portOf(authority, secure),
  secure,
})

/** What stands in all fields of a name, and its parts between commas. */
function partsOf({ fields }: Inbound, name: string): string[] {
  const parts: string[] = []
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at]!.toLowerCase() === name) parts.push(...fields[at + 1]!.split(',').map(part => part.trim()))
  return parts.filter(part => part !== '')
}

/** Some proxies write the port, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const HOP = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/

/** The address in a part of `X-Forwarded-For`; undefined where it hides itself (`unknown`). */
function addressOf(hop: string): string | undefined {
  const [, bracketed, withPort] = HOP.exec(hop) ?? []
  const address = unmapped(bracketed ?? withPort ?? hop)
  return familyOf(address) && !address.includes('/') ? address : undefined
}

function behindProxy(inbound: Inbound, isTrusted: (address: string) => boolean): Origin {
  const first = (name: string) => partsOf(inbound, name)[0]
  const hops = [...partsOf(inbound, 'x-forwarded-for'), inbound.client]
  let client = inbound.client
  // From the end: what is said beyond the first that is not trusted, anybody may have said.
  for (const hop of hops.toReversed()) {
    const address = addressOf(hop)
    if (address === undefined) break
    client = address
    if (!isTrusted(address)) break
  }
  const scheme = first('x-forwarded-proto')?.toLowerCase()
  const secure = scheme === undefined ? inbound.secure : scheme === 'https' || scheme === 'wss'
  const host = first('x-forwarded-host') ?? inbound.authority
  const port = first('x-forwarded-port')
  return {
    chain: hops.join(', '),
    client,
    host,
    port: port !== undefined && /^\d{1,5}$/.test(port) ? port : portOf(host, secure),
    secure,
  }
}

/** Believes proxies by addresses in these ranges. */
export function originOf(trusted: readonly Cidr[]): OriginOf {
  if (trusted.length === 0) return direct
  const isTrusted = (address: string) => trusted.some(range => inCidr(range, address))
  return inbound => (isTrusted(inbound.client) ? behindProxy(inbound, isTrusted) : direct(inbound))
}
