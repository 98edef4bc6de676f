/** Addresses that are not of this machine alone. */
import { BlockList, isIPv6 } from 'node:net'

const LOCAL = new BlockList()
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4')
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4')
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4')
LOCAL.addSubnet('224.0.0.0', 4, 'ipv4')
LOCAL.addAddress('255.255.255.255', 'ipv4')
LOCAL.addAddress('::', 'ipv6')
LOCAL.addAddress('::1', 'ipv6')
LOCAL.addSubnet('fe80::', 10, 'ipv6')
LOCAL.addSubnet('ff00::', 8, 'ipv6')

/** Whether an address may be one of another machine: neither loopback, link-local nor multicast. */
export function isGlobalUnicast(address: string): boolean {
  return address !== '' && !LOCAL.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
