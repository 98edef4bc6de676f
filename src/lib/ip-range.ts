/** Arithmetic on IP addresses and ranges of both families. Addresses are strings at the edges and numbers inside. */
import { formatIp, type IpAddress, parseIp } from './ip-address.ts'

export type Family = 'IPv4' | 'IPv6'

/** A range as in `10.244.0.0/24` or `fd00:10:244::/64`. */
export interface Cidr {
  readonly family: Family
  /** First address. */
  readonly base: bigint
  readonly bits: number
  /** How many addresses there are, with the first and the last; of large ranges of IPv6 rounded. */
  readonly size: number
}

/** How many bits an address has. */
export const WIDTH: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 }

function parsed(text: string): IpAddress | undefined {
  const found = parseIp(text)
  return 'problem' in found ? undefined : found
}

const versionOf = (family: Family) => (family === 'IPv4' ? 4 : 6)

/** The family of an address, or of a range as in `10.0.0.0/8`; undefined for what is neither. */
export function familyOf(text: string): Family | undefined {
  const slash = text.indexOf('/')
  const address = parsed(slash < 0 ? text : text.slice(0, slash))
  return address && `IPv${address.version}`
}

/** An address as a number; undefined when it is none of that family. */
export function parseAddress(family: Family, text: string): bigint | undefined {
  const address = parsed(text)
  return address?.version === versionOf(family) ? address.bits : undefined
}

/** An address of a family from its number. */
export const formatAddress = (family: Family, bits: bigint): string => formatIp({ version: versionOf(family), bits })

/** Reads `10.244.0.0/24`; throws an Error that names the text when it is no range. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const family = familyOf(address)
  const bits = Number(length)
  if (!family || !/^\d{1,3}$/.test(length) || bits > WIDTH[family])
    throw new Error(`address range "${text}": expected a range such as 10.244.0.0/24 or fd00:10:244::/64`)
  const rest = WIDTH[family] - bits
  const value = parseAddress(family, address)!
  return { family, base: (value >> BigInt(rest)) << BigInt(rest), bits, size: 2 ** rest }
}

/** The range as text, by its first address. */
export const formatCidr = ({ family, base, bits }: Cidr): string => `${formatAddress(family, base)}/${bits}`

/** How many places an address lies after the first of the range; undefined outside of it. */
export function offsetIn(cidr: Cidr, address: string): number | undefined {
  const value = parseAddress(cidr.family, address)
  if (value === undefined || value < cidr.base) return undefined
  const offset = value - cidr.base
  return offset >> BigInt(WIDTH[cidr.family] - cidr.bits) === 0n ? Number(offset) : undefined
}

/** Whether an address lies in a range. */
export const inCidr = (cidr: Cidr, address: string): boolean => offsetIn(cidr, address) !== undefined

/** Whether a range is another, or a part of it. */
export const isWithin = (inner: Cidr, outer: Cidr): boolean =>
  inner.bits >= outer.bits && inCidr(outer, formatAddress(inner.family, inner.base))

/** The address `offset` places after the first of the range; throws when it lies outside. */
export function addressAt(cidr: Cidr, offset: number): string {
  if (offset < 0 || offset >= cidr.size)
    throw new Error(`address ${offset} of ${formatCidr(cidr)}: the range has ${cidr.size}`)
  return formatAddress(cidr.family, cidr.base + BigInt(offset))
}

/** The part number `index` of a range, of parts with this prefix. */
export function partOf(cidr: Cidr, bits: number, index: number): Cidr {
  const rest = WIDTH[cidr.family] - bits
  return { family: cidr.family, base: cidr.base + (BigInt(index) << BigInt(rest)), bits, size: 2 ** rest }
}

/**
 * Reads the ranges of a cluster, one of a family, the first family first: `10.96.0.0/16,fd00:10:96::/112`. Throws an
 * Error that says what is wrong.
 */
export function parseCidrs(text: string): readonly [Cidr, ...Cidr[]] {
  const [first, ...others] = text.split(',').map(each => parseCidr(each.trim())) as [Cidr, ...Cidr[]]
  if (others.length > 1 || others[0]?.family === first.family)
    throw new Error(`address ranges "${text}": expected one range, or two of different families`)
  return [first, ...others]
}
