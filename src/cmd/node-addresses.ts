/** The addresses by which a cluster knows a machine: one a family. */
import { networkInterfaces } from 'node:os'
import { type Family, familyOf } from '../lib/ip-range.ts'

const LINK_LOCAL = /^(fe[89ab]|169\.254\.)/i

/** An address of that family on the device that has this one; undefined where there is none that others reach. */
function beside(address: string, family: Family, devices: ReturnType<typeof networkInterfaces>): string | undefined {
  const device = Object.values(devices).find(each => each?.some(one => one.address === address))
  return device?.find(one => one.family === family && !one.internal && !LINK_LOCAL.test(one.address))?.address
}

/**
 * The address that was said, and for each further family of the node's pods one beside it. A family in which others do
 * not reach the machine is left out: they lead to its pods through the first one.
 */
export function nodeAddresses(
  address: string,
  podCidr: string,
  devices = networkInterfaces(),
): readonly [string, ...string[]] {
  const families = podCidr.split(',').flatMap(each => familyOf(each) ?? [])
  const wanted = families.filter(family => family !== familyOf(address))
  return [address, ...wanted.flatMap(family => beside(address, family, devices) ?? [])]
}
