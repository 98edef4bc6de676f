/** Capabilities of a container's processes (capabilities(7); API doc: core/v1 Capabilities). */
import type { ContainerConfig } from '../runtime.ts'

type Capabilities = ContainerConfig['capabilities']

/**
 * What a process of root keeps of an image (the set of container runtimes, without MKNOD: no device is kept from it by
 * the kernel here, as there is no filter of devices).
 */
const DEFAULT = [
  ...['audit_write', 'chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'net_bind_service', 'net_raw'],
  ...['setfcap', 'setgid', 'setpcap', 'setuid', 'sys_chroot'],
]

/** A capability as setpriv writes it: `net_bind_service` for NET_BIND_SERVICE and CAP_NET_BIND_SERVICE; `all`. */
export const capabilityName = (name: string): string => name.toLowerCase().replace(/^cap_/, '')

/** Says whether a capability is left to processes that begin with all of them, or with those of container runtimes. */
export function keptCapabilities(
  { add = [], drop = [] }: NonNullable<Capabilities> = {},
  begin: 'all' | 'default',
): (name: string) => boolean {
  const added = new Set(add.map(capabilityName))
  const dropped = new Set(drop.map(capabilityName))
  return name => {
    if (added.has('all')) return !dropped.has(name)
    if (added.has(name)) return true
    return !dropped.has('all') && !dropped.has(name) && (begin === 'all' || DEFAULT.includes(name))
  }
}

/** The capabilities that are left to processes of an image, as setpriv takes them. */
export function boundingSet({ add = [], drop = [] }: NonNullable<Capabilities> = {}): string {
  const added = add.map(capabilityName)
  if (added.includes('all')) return ['+all', ...new Set(drop.map(name => `-${capabilityName(name)}`))].join(',')
  const kept = [...new Set([...DEFAULT, ...added])].filter(keptCapabilities({ add, drop }, 'default'))
  return ['-all', ...kept.map(name => `+${name}`)].join(',')
}
