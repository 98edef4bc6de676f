/**
 * IPAddress objects: one for each cluster IP, made before the service that gets it is, so that nobody else can have it;
 * and those that others made, whose addresses no service gets.
 */
import type { IPAddress } from '../../api/generated/types/networking-v1.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { familyOf } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import { MASTERS } from '../authorization/authorizers.ts'
import type { Registry } from '../registry/registry.ts'

const FAMILY = 'ipaddress.kubernetes.io/ip-family'
const MANAGED_BY = 'ipaddress.kubernetes.io/managed-by'
const MANAGER = 'ipallocator.k8s.io'

const context = { user: { name: 'system:apiserver', groups: [MASTERS] }, fieldManager: 'kube-apiserver' }

export interface IpAddresses {
  /** Makes the object of a service's address. False: somebody has it already. */
  claim(address: string, owner: string): Promise<boolean>
  /** Removes it, where it is that service's. Never rejects. */
  release(address: string, owner: string): Promise<void>
  /** Whose it is, by object: a service as `namespace/name`, or another object; undefined where there is none. */
  ownerOf(address: string): string | undefined
  /** Calls for every address that is taken or given back by an object. Returns its end. */
  follow(on: { taken(address: string, owner: string): void; free(address: string, owner: string): void }): () => void
}

/** A service as `namespace/name`; what is not a service has a name that no service can have. */
function ownerOf({ metadata, spec }: IPAddress): string {
  const { group = '', resource, namespace = '', name = '' } = spec?.parentRef ?? {}
  return !group && resource === 'services' ? `${namespace}/${name}` : `ipaddress ${metadata?.name}`
}

function objectOf(address: string, owner: string): IPAddress {
  const [namespace = '', name = ''] = owner.split('/')
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: address, labels: { [FAMILY]: familyOf(address)!, [MANAGED_BY]: MANAGER } },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}

/** Makes them over the registry. */
export function ipAddresses(registry: Registry, kind: Kind, logger: Logger): IpAddresses {
  const reader = registry.reader(kind)
  const get = (address: string) => reader.get('', address)?.value as IPAddress | undefined
  const isGone = (error: unknown) => error instanceof StatusError && (error.code === 404 || error.code === 409)
  return {
    ownerOf(address) {
      const found = get(address)
      return found && ownerOf(found)
    },
    async claim(address, owner) {
      const before = get(address)
      if (before) return ownerOf(before) === owner
      try {
        await registry.create(kind, '', objectOf(address, owner), context)
        return true
      } catch (error) {
        if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error
        const now = get(address)
        return now !== undefined && ownerOf(now) === owner
      }
    },
    async release(address, owner) {
      const found = get(address)
      if (!found || ownerOf(found) !== owner) return
      const { uid } = found.metadata ?? {}
      try {
        await registry.delete(kind, { namespace: '', name: address }, uid ? { preconditions: { uid } } : {}, context)
      } catch (error) {
        if (!isGone(error)) logger.error({ err: error, address }, 'an address could not be given back')
      }
    },
    follow({ taken, free }) {
      const told = (object: IPAddress, tell: (address: string, owner: string) => void) =>
        tell(object.metadata?.name ?? '', ownerOf(object))
      for (const { value } of reader.list()) told(value as IPAddress, taken)
      return reader.onChange((previous, current) => {
        if (current) told(current.value as IPAddress, taken)
        else if (previous) told(previous.value as IPAddress, free)
      })
    },
  }
}
