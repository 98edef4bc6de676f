/** IP addresses and address blocks as fields of objects (KEP-4858: which forms are taken, and which are told of). */
import { formatIp, type IpAddress, isMapped, parseIp } from '../../lib/ip-address.ts'
import { invalid } from '../machinery/field-error.ts'
import type { Errors } from './rules.ts'

/** The usual form of version 4. */
export const V4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/

/** An address in which parts of version 4 may begin with zeros. */
export function parseSloppily(text: string): IpAddress | undefined {
  const found = parseIp(text.includes('.') ? text.replace(/(^|[.:])0+(?=\d)/g, '$1') : text)
  return 'problem' in found ? undefined : found
}

/** An address of version 6 that stands for one of version 4, as that. */
export const asV4 = (ip: IpAddress): IpAddress => (isMapped(ip) ? { version: 4, bits: ip.bits & 0xffffffffn } : ip)

/** A block of addresses, with the one that it was written by. */
export interface Block {
  readonly ip: IpAddress
  readonly size: number
  /** The first address. */
  readonly first: IpAddress
  /** Whether something begins with zeros. */
  readonly zeros: boolean
}

/** How many bits an address has. */
export const widthOf = ({ version }: IpAddress) => (version === 4 ? 32 : 128)

/** Reads a block; undefined for what is none. */
export function parseBlock(text: string): Block | undefined {
  const [, address = '', digits = ''] = /^([^/]*)\/(\d+)$/.exec(text) ?? []
  const ip = parseSloppily(address)
  const size = Number(digits)
  if (!ip || size > widthOf(ip)) return undefined
  const hosts = (1n << BigInt(widthOf(ip) - size)) - 1n
  const zeros = 'problem' in parseIp(address) || /^0\d/.test(digits)
  return { ip, size, first: { ...ip, bits: ip.bits & ~hosts }, zeros }
}

/** 4 or 6, or 0 for what is no address. Forms of old that stand for version 4 are of that. */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (V4.test(text)) return 4
  const ip = parseSloppily(text)
  return ip ? asV4(ip).version : 0
}

/** An address in its shortest form, by which its object is called; what is none stays as it is. */
export function canonicalIp(text: string): string {
  if (V4.test(text)) return text
  const ip = parseSloppily(text)
  return ip ? formatIp(asV4(ip)) : text
}

/** 4 or 6 of a block, or 0 for what is none. */
export function blockFamily(text: string): 0 | 4 | 6 {
  const block = parseBlock(text)
  return block ? asV4(block.ip).version : 0
}

export interface AddressOptions {
  /** What stood there before may stay. */
  readonly before?: readonly string[] | undefined
  /** Only the shortest form is taken. */
  readonly canonical?: boolean
}

const canonicalForm = (text: string) => `must be in canonical form (${JSON.stringify(text)})`

function ipProblem(text: string, canonical: boolean): string | undefined {
  const ip = parseSloppily(text)
  if (!ip) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
  if ('problem' in parseIp(text)) return 'must not have leading 0s'
  if (isMapped(ip)) return 'must not be an IPv4-mapped IPv6 address'
  return canonical && formatIp(ip) !== text ? canonicalForm(formatIp(ip)) : undefined
}

/** Whether an address is good. */
export function checkIp(text: string | undefined, path: string, errors: Errors, options: AddressOptions = {}): boolean {
  const { before = [], canonical = false } = options
  // Most are of this form.
  if (text && (V4.test(text) || before.includes(text))) return true
  const problem = ipProblem(text ?? '', canonical)
  if (problem) errors.push(invalid(path, text ?? '', problem))
  return problem === undefined
}

function blockProblem(text: string, canonical: boolean): string | undefined {
  const block = parseBlock(text)
  if (!block) return 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
  if (block.zeros) return 'must not have leading 0s in IP or prefix length'
  if (isMapped(block.ip)) return 'must not have an IPv4-mapped IPv6 address'
  if (block.first.bits !== block.ip.bits) return 'must not have bits set beyond the prefix length'
  const form = `${formatIp(block.ip)}/${block.size}`
  return canonical && form !== text ? canonicalForm(form) : undefined
}

export function checkCidr(text: string, path: string, errors: Errors, options: AddressOptions = {}): void {
  const { before = [], canonical = false } = options
  const problem = before.includes(text) ? undefined : blockProblem(text, canonical)
  if (problem) errors.push(invalid(path, text, problem))
}

/** Whether a block is a part of another, and smaller. */
export function isInside(inner: string, outer: string): boolean {
  const [a, b] = [parseBlock(inner), parseBlock(outer)]
  if (!a || !b || asV4(a.ip).version !== asV4(b.ip).version || a.size <= b.size) return false
  const hosts = BigInt(widthOf(b.ip) - b.size)
  return a.ip.bits >> hosts === b.ip.bits >> hosts
}

/** Addresses that no endpoint has: unspecified, loopback, link-local. */
export function checkEndpointIp(text: string, path: string, errors: Errors): void {
  const wrong = (problem: string) => errors.push(invalid(path, text, problem))
  const parsed = parseSloppily(text)
  if (!parsed) return void wrong('must be a valid IP address')
  const { version, bits } = asV4(parsed)
  const v4 = version === 4
  if (bits === 0n) wrong(`may not be unspecified (${text})`)
  if (v4 ? bits >> 24n === 127n : bits === 1n) wrong('may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (v4 ? bits >> 16n === 0xa9fen : bits >> 118n === 0x3fan) {
    wrong('may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  }
  // Of version 6 any flags, as Go has it.
  if (v4 ? bits >> 8n === 0xe00000n : ((bits >> 112n) & 0xff0fn) === 0xff02n) {
    wrong('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
  }
}

/** The blocks of a dual-stack field: at most one per family. */
export function checkFamilies(cidrs: readonly string[], path: string, errors: Errors): void {
  if (cidrs.length < 2) return
  const families = new Set(cidrs.map(blockFamily))
  if (cidrs.length > 2 || families.size < 2) {
    errors.push(invalid(path, cidrs, 'may specify no more than one CIDR for each IP family'))
  }
}
