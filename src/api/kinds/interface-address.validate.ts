import { formatIp, isMapped } from '../../lib/ip-address.ts'
import { invalid } from '../machinery/field-error.ts'
import { asV4, parseSloppily } from './ip.ts'
import type { Errors } from './rules.ts'

/** The address of an interface in its network, as it is written best: `10.9.8.7/24`. */
export function checkInterfaceAddress(value: string, path: string, errors: Errors): void {
  const form = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
  const [text = '', size = '', ...more] = value.split('/')
  // Zeros before a number of an IPv4 address are passed over here, and told of below.
  const ip = parseSloppily(text)
  const width = ip?.version === 4 ? 32 : 128
  if (!ip || more.length || !/^\d{1,3}$/.test(size) || Number(size) > width) {
    errors.push(invalid(path, value, form))
    return
  }
  const bits = isMapped(ip) && Number(size) > 32 ? Number(size) - 96 : Number(size)
  const canonical = `${formatIp(asV4(ip))}/${bits}`
  if (value !== canonical) errors.push(invalid(path, value, `must be in canonical form (${JSON.stringify(canonical)})`))
}
