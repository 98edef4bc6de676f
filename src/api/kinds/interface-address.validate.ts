import { formatIp, isMapped, parseIp } from '../machinery/cel/library/ip-address.ts'
import { invalid } from '../machinery/field-error.ts'
import type { Errors } from './rules.ts'

/** The address of an interface in its network, as it is written best: `10.9.8.7/24`. */
export function checkInterfaceAddress(value: string, path: string, errors: Errors): void {
  const form = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
  const [text = '', size = '', ...more] = value.split('/')
  // Zeros before a number of an IPv4 address are passed over here, and told of below.
  const ip = parseIp(text.includes('.') ? text.replace(/(^|[.:])0+(?=\d)/g, '$1') : text)
  const width = 'problem' in ip ? 0 : ip.version === 4 ? 32 : 128
  if ('problem' in ip || more.length || !/^\d{1,3}$/.test(size) || Number(size) > width) {
    errors.push(invalid(path, value, form))
    return
  }
  const mapped = isMapped(ip)
  const shown = mapped ? formatIp({ version: 4, bits: ip.bits & 0xffffffffn }) : formatIp(ip)
  const canonical = `${shown}/${mapped && Number(size) > 32 ? Number(size) - 96 : Number(size)}`
  if (value !== canonical) errors.push(invalid(path, value, `must be in canonical form (${JSON.stringify(canonical)})`))
}
