import { formatIp, type IpAddress, isMapped, parseIp } from '../../../../lib/ip-address.ts'
import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, INT, opaque, STRING } from '../types.ts'
import { Opaque } from '../values.ts'

export const IP = opaque('net.IP')
export const CIDR = opaque('net.CIDR')

/** An IP address. */
export class IpValue extends Opaque {
  readonly typeName = 'net.IP'
  readonly address: IpAddress
  constructor(address: IpAddress) {
    super()
    this.address = address
  }
  override get size(): number {
    return this.address.version === 4 ? 4 : 16
  }
  equals(other: IpValue): boolean {
    return other.address.version === this.address.version && other.address.bits === this.address.bits
  }
  override text(): string {
    return formatIp(this.address)
  }
}

/** A network: an address and how many bits of it name the network. */
export class CidrValue extends Opaque {
  readonly typeName = 'net.CIDR'
  readonly address: IpAddress
  readonly prefix: number
  constructor(address: IpAddress, prefix: number) {
    super()
    this.address = address
    this.prefix = prefix
  }
  override get size(): number {
    return Math.ceil(this.prefix / 8)
  }
  equals(other: CidrValue): boolean {
    return other.prefix === this.prefix && new IpValue(other.address).equals(new IpValue(this.address))
  }
  override text(): string {
    return `${formatIp(this.address)}/${this.prefix}`
  }
  /** The address with the bits after the prefix cleared, or another address as far as this prefix goes. */
  network(bits: bigint = this.address.bits): bigint {
    const rest = BigInt((this.address.version === 4 ? 32 : 128) - this.prefix)
    return (bits >> rest) << rest
  }
}

/** Reads an address, or says what is wrong with it. */
function readIp(text: string): IpAddress | string {
  const parsed = parseIp(text)
  if ('problem' in parsed) {
    if (parsed.problem === 'zone') return `IP address ${JSON.stringify(text)} with zone value is not allowed`
    return `IP Address ${JSON.stringify(text)} parse error during conversion from string: ${parsed.problem}`
  }
  return isMapped(parsed) ? `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed` : parsed
}

function toIp(text: string): IpValue {
  const address = readIp(text)
  return typeof address === 'string' ? fail(address) : new IpValue(address)
}

function readCidr(text: string): CidrValue | string {
  const prefix = 'network address parse error during conversion from string: '
  const bad = (reason: string) => `${prefix}netip.ParsePrefix(${JSON.stringify(text)}): ${reason}`
  const slash = text.lastIndexOf('/')
  if (slash < 0) return bad("no '/'")
  const address = parseIp(text.slice(0, slash))
  if ('problem' in address)
    return bad(address.problem === 'zone' ? 'IPv6 zones cannot be present in a prefix' : address.problem)
  const bits = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) return bad(`bad bits after slash: ${JSON.stringify(bits)}`)
  if (Number(bits) > (address.version === 4 ? 32 : 128)) return bad('prefix length out of range')
  if (isMapped(address)) return `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`
  return new CidrValue(address, Number(bits))
}

function toCidr(text: string): CidrValue {
  const cidr = readCidr(text)
  return typeof cidr === 'string' ? fail(`network address parse error during conversion from string: ${cidr}`) : cidr
}

const contains = (cidr: CidrValue, ip: IpValue) =>
  cidr.address.version === ip.address.version && cidr.network() === cidr.network(ip.address.bits)

const containsCidr = (cidr: CidrValue, other: CidrValue) =>
  cidr.prefix <= other.prefix && contains(cidr, new IpValue(other.address))

function containsText(cidr: CidrValue, text: string): boolean {
  const address = readIp(text)
  return typeof address === 'string' ? fail('no such overload') : contains(cidr, new IpValue(address))
}

function containsCidrText(cidr: CidrValue, text: string): boolean {
  const other = readCidr(text)
  return typeof other === 'string' ? fail('no such overload') : containsCidr(cidr, other)
}

const V6_LINK_LOCAL = 0xfe80n >> 6n

function isLinkLocal({ version, bits }: IpAddress): boolean {
  return version === 4 ? bits >> 16n === 0xa9fen : bits >> 118n === V6_LINK_LOCAL
}

const isMulticast = ({ version, bits }: IpAddress) => (version === 4 ? bits >> 28n === 0xen : bits >> 120n === 0xffn)
const isLoopback = ({ version, bits }: IpAddress) => (version === 4 ? bits >> 24n === 127n : bits === 1n)
const isLinkLocalMulticast = ({ version, bits }: IpAddress) =>
  version === 4 ? bits >> 8n === 0xe00000n : ((bits >> 112n) & 0xff0fn) === 0xff02n

function isGlobalUnicast(address: IpAddress): boolean {
  if (address.bits === 0n || (address.version === 4 && address.bits === 0xffffffffn)) return false
  return !isLoopback(address) && !isMulticast(address) && !isLinkLocal(address)
}

const test = (name: string, id: string, holds: (address: IpAddress) => boolean) =>
  fn(
    name,
    method(id, [IP], BOOL, (ip: IpValue) => holds(ip.address)),
  )

/** Kubernetes' functions about IP addresses and networks. */
export const NETWORK: Library = [
  fn(
    'ip',
    overload('string_to_ip', [STRING], IP, toIp),
    method('cidr_ip', [CIDR], IP, (cidr: CidrValue) => new IpValue(cidr.address)),
  ),
  fn(
    'isIP',
    overload('is_ip', [STRING], BOOL, (text: string) => typeof readIp(text) !== 'string'),
  ),
  fn(
    'ip.isCanonical',
    overload('ip_is_canonical', [STRING], BOOL, (text: string) => toIp(text).text() === text),
  ),
  fn(
    'family',
    method('family', [IP], INT, (ip: IpValue) => BigInt(ip.address.version)),
  ),
  test('isUnspecified', 'is_unspecified', address => address.bits === 0n),
  test('isLoopback', 'is_loopback', isLoopback),
  test('isLinkLocalMulticast', 'is_link_local_multicast', isLinkLocalMulticast),
  test('isLinkLocalUnicast', 'is_link_local_unicast', isLinkLocal),
  test('isGlobalUnicast', 'is_global_unicast', isGlobalUnicast),
  fn('cidr', overload('string_to_cidr', [STRING], CIDR, toCidr)),
  fn(
    'isCIDR',
    overload('is_cidr', [STRING], BOOL, (text: string) => typeof readCidr(text) !== 'string'),
  ),
  fn(
    'containsIP',
    method('cidr_contains_ip_string', [CIDR, STRING], BOOL, containsText),
    method('cidr_contains_ip_ip', [CIDR, IP], BOOL, contains),
  ),
  fn(
    'containsCIDR',
    method('cidr_contains_cidr_string', [CIDR, STRING], BOOL, containsCidrText),
    method('cidr_contains_cidr', [CIDR, CIDR], BOOL, containsCidr),
  ),
  fn(
    'prefixLength',
    method('cidr_prefix_length', [CIDR], INT, (cidr: CidrValue) => BigInt(cidr.prefix)),
  ),
  fn(
    'masked',
    method(
      'cidr_masked',
      [CIDR],
      CIDR,
      (cidr: CidrValue) => new CidrValue({ version: cidr.address.version, bits: cidr.network() }, cidr.prefix),
    ),
  ),
  fn(
    'string',
    overload('ip_to_string', [IP], STRING, (ip: IpValue) => ip.text()),
    overload('cidr_to_string', [CIDR], STRING, (cidr: CidrValue) => cidr.text()),
  ),
]
