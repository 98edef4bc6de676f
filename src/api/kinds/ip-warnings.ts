/** Warnings about addresses that are valid, and not written as they should be. */
import { formatIp, type IpAddress, isMapped, parseIp } from '../machinery/cel/library/ip-address.ts'

/** An address in which parts of version 4 may begin with zeros. */
export function parseSloppily(text: string): IpAddress | undefined {
  const found = parseIp(text.includes('.') ? text.replace(/(^|[.:])0+(?=\d)/g, '$1') : text)
  return 'problem' in found ? undefined : found
}

/** An address of version 6 that stands for one of version 4, as that. */
export const asV4 = (ip: IpAddress): IpAddress => (isMapped(ip) ? { version: 4, bits: ip.bits & 0xffffffffn } : ip)

/** Warnings about an address; none where it is no address at all. */
export function addressWarnings(text: string, path: string): string[] {
  const ip = parseSloppily(text)
  if (!ip) return []
  if ('problem' in parseIp(text) || isMapped(ip)) {
    return [`${path}: non-standard IP address "${text}" is invalid: use "${formatIp(asV4(ip))}"`]
  }
  const canonical = formatIp(ip)
  if (ip.version === 4 || canonical === text) return []
  return [`${path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`]
}

/** Warnings about a block of addresses; none where it is no block at all. */
export function cidrWarnings(text: string, path: string): string[] {
  const [address = '', size = ''] = text.split('/')
  const ip = parseSloppily(address)
  if (!ip || !/^\d{1,3}$/.test(size)) return []
  const width = ip.version === 4 ? 32 : 128
  const hosts = (1n << BigInt(width - Math.min(width, Number(size)))) - 1n
  const first = { ...ip, bits: ip.bits & ~hosts }
  const block = `${formatIp(first)}/${Number(size)}`
  const found: string[] = []
  if (first.bits !== ip.bits) {
    const single = `${formatIp(ip)}/${width}`
    found.push(`${path}: CIDR value "${text}" is ambiguous in this context (should be "${block}" or "${single}"?)`)
  }
  if ('problem' in parseIp(address) || isMapped(ip) || /^0\d/.test(size)) {
    found.push(`${path}: non-standard CIDR value "${text}" is invalid: use "${block}"`)
  }
  const canonical = `${formatIp(ip)}/${size}`
  if (!found.length && ip.version === 6 && canonical !== text) {
    found.push(`${path}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${canonical}")`)
  }
  return found
}
