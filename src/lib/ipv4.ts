/** Arithmetic on IPv4 addresses and ranges. Addresses are strings at the edges and unsigned numbers inside. */

/** A range as in `10.244.0.0/24`. */
export interface Cidr {
  /** First address. */
  readonly base: number
  readonly bits: number
  /** How many addresses there are, with the first and the last. */
  readonly size: number
}

const QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** `10.0.0.1` as a number; undefined when it is not a dotted quad. */
export function parseIpv4(text: string): number | undefined {
  const match = QUAD.exec(text)
  if (!match) return undefined
  let value = 0
  for (let at = 1; at <= 4; at++) {
    const digits = match[at] as string
    const part = Number(digits)
    // A leading zero is octal to some readers: no address to Kubernetes.
    if (part > 255 || (digits.length > 1 && digits.startsWith('0'))) return undefined
    value = value * 256 + part
  }
  return value
}

/** A number as a dotted quad. */
export function formatIpv4(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/** Reads `10.244.0.0/24`; throws an Error that names the text when it is not an IPv4 range. */
export function parseCidr(text: string): Cidr {
  const [address = '', length = ''] = text.split('/')
  const value = parseIpv4(address)
  const bits = Number(length)
  if (value === undefined || !/^\d{1,2}$/.test(length) || bits > 32)
    throw new Error(`address range "${text}": expected an IPv4 range such as 10.244.0.0/24`)
  const size = 2 ** (32 - bits)
  return { base: value - (value % size), bits, size }
}

/** Whether an address (dotted quad) lies in a range. */
export function inCidr(cidr: Cidr, address: string): boolean {
  const value = parseIpv4(address)
  return value !== undefined && value >= cidr.base && value < cidr.base + cidr.size
}

/** The address `offset` places after the first of the range; throws when it lies outside. */
export function addressAt(cidr: Cidr, offset: number): string {
  if (offset < 0 || offset >= cidr.size)
    throw new Error(`address ${offset} of ${formatIpv4(cidr.base)}/${cidr.bits}: the range has ${cidr.size}`)
  return formatIpv4(cidr.base + offset)
}
