/** IP addresses and address blocks as fields of objects. */
import { invalid } from '../machinery/field-error.ts'
import type { Errors } from './rules.ts'

const V4 = /^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/
const GROUP = /^[0-9a-fA-F]{1,4}$/

/** Eight groups of hexadecimal digits, of which one run may be `::` and the last two an IPv4 address. */
function isV6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [index, half] of halves.entries()) {
    if (half === '') continue
    const parts = half.split(':')
    const tail = parts.at(-1)!
    if (tail.includes('.')) {
      if (index !== halves.length - 1 || !V4.test(tail)) return false
      parts.pop()
      groups += 2
    }
    if (!parts.every(part => GROUP.test(part))) return false
    groups += parts.length
  }
  return halves.length === 2 ? groups < 8 : groups === 8
}

/** 4 or 6, or 0 for what is no address. */
export function ipFamily(text: string): 0 | 4 | 6 {
  if (V4.test(text)) return 4
  return text.includes(':') && isV6(text) ? 6 : 0
}

export function checkIp(text: string | undefined, path: string, errors: Errors): boolean {
  if (text && ipFamily(text)) return true
  errors.push(invalid(path, text ?? '', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  return false
}

export function checkCidr(text: string, path: string, errors: Errors): void {
  const [address, length, ...rest] = text.split('/')
  const family = ipFamily(address!)
  const valid = family && !rest.length && /^\d{1,3}$/.test(length ?? '') && Number(length) <= (family === 4 ? 32 : 128)
  if (!valid) errors.push(invalid(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
}

/** The bits of an address, from the first. */
function bitsOf(address: string): string {
  if (ipFamily(address) === 4) {
    return address
      .split('.')
      .map(part => Number(part).toString(2).padStart(8, '0'))
      .join('')
  }
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const pair = (a?: string, b?: string) => (Number(a) * 256 + Number(b)).toString(16)
  const text = tail ? `${tail[1]}${pair(tail[2], tail[3])}:${pair(tail[4], tail[5])}` : address
  const [head = '', rest] = text.split('::')
  const groups = (half: string) => (half ? half.split(':') : [])
  const missing = 8 - groups(head).length - groups(rest ?? '').length
  const all = rest === undefined ? groups(head) : [...groups(head), ...Array(missing).fill('0'), ...groups(rest)]
  return all.map(group => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}

/** Whether a block is a part of another, and smaller. Both are valid. */
export function isInside(inner: string, outer: string): boolean {
  const [[address = '', length], [around = '', size]] = [inner.split('/'), outer.split('/')]
  if (ipFamily(address) !== ipFamily(around) || Number(length) <= Number(size)) return false
  return bitsOf(address).slice(0, Number(size)) === bitsOf(around).slice(0, Number(size))
}

/** Addresses that no endpoint has: unspecified, loopback, link-local. */
export function checkEndpointIp(text: string, path: string, errors: Errors): void {
  const v6 = text.toLowerCase()
  if (text === '0.0.0.0' || /^[0:]+$/.test(text)) errors.push(invalid(path, text, `may not be unspecified (${text})`))
  if (text.startsWith('127.') || /^(0*:)*:?0*1$/.test(text)) {
    errors.push(invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  }
  if (text.startsWith('169.254.') || /^fe[89ab]/.test(v6)) {
    errors.push(invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  }
  if (text.startsWith('224.0.0.') || v6.startsWith('ff02:')) {
    errors.push(invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  }
}

/** The blocks of a dual-stack field: at most one per family. */
export function checkFamilies(cidrs: readonly string[], path: string, errors: Errors): void {
  if (cidrs.length < 2) return
  const families = new Set(cidrs.map(cidr => ipFamily(cidr.split('/')[0]!)))
  if (cidrs.length > 2 || families.size < 2) {
    errors.push(invalid(path, cidrs, 'may specify no more than one CIDR for each IP family'))
  }
}
