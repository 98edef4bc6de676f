/** Warnings about addresses that are valid, and not written as they should be. */
import { formatIp, isMapped, parseIp } from '../../lib/ip-address.ts'
import { asV4, parseBlock, parseSloppily, V4, widthOf } from './ip.ts'

/** Warnings about an address; none where it is no address at all. */
export function addressWarnings(text: string, path: string): string[] {
  if (V4.test(text)) return []
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
  const parsed = parseBlock(text)
  if (!parsed) return []
  const { ip, size, first, zeros } = parsed
  const block = `${formatIp(first)}/${size}`
  const found: string[] = []
  if (first.bits !== ip.bits) {
    const single = `${formatIp(asV4(ip))}/${widthOf(ip)}`
    found.push(`${path}: CIDR value "${text}" is ambiguous in this context (should be "${block}" or "${single}"?)`)
  }
  if (zeros || isMapped(ip)) {
    found.push(`${path}: non-standard CIDR value "${text}" is invalid: use "${block}"`)
  }
  const canonical = `${formatIp(ip)}/${size}`
  if (!found.length && ip.version === 6 && canonical !== text) {
    found.push(`${path}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${canonical}")`)
  }
  return found
}

/** Warnings about where a load balancer can be reached, for who writes that into a status. */
export const ingressWarnings = (ingress: readonly { ip?: string }[] | undefined): string[] =>
  (ingress ?? []).flatMap(({ ip }, index) => (ip ? addressWarnings(ip, `status.loadBalancer.ingress[${index}]`) : []))
