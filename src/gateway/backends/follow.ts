/** Tells where the requests for each target go, from the services and their endpoints, and after each change of these. */
import type { Service } from '../../api/kinds/core/service.ts'
import { equalJson } from '../../lib/json.ts'
import type { Entries } from '../entries.ts'
import { idOfTarget, type Protocol, type Target } from '../routing/route.ts'
import type { BackendAddress } from './backends.ts'
import { portOf, type ServiceSource } from './source.ts'

export interface FollowedTargets {
  /** From now on these are followed, and no others; returns what is new and what is gone. */
  use(targets: readonly Target[]): Entries<readonly BackendAddress[]>
  close(): void
}

/** What the `appProtocol` of a port, which is any name, means (KEP-3726, and IANA); of others it is HTTP/1.1. */
const PROTOCOLS: ReadonlyMap<string | undefined, Protocol> = new Map([
  ['kubernetes.io/h2c', 'h2c'],
  ['kubernetes.io/wss', 'https'],
  ['https', 'https'],
])

/** Where a target's requests go now. */
function lookUp(source: ServiceSource, { namespace, service: name, port, protocol: said }: Target): BackendAddress[] {
  const service: Service | undefined = source.service(`${namespace}/${name}`)
  if (!service) return []
  const found = portOf(service, port)
  const protocol = said ?? PROTOCOLS.get(found?.appProtocol) ?? 'http'
  const { type, externalName } = service.spec ?? {}
  if (type === 'ExternalName') {
    // Its ports are only words: a number needs none.
    const number = found?.port ?? port
    return externalName && typeof number === 'number'
      ? [{ host: externalName, port: number, external: true, protocol }]
      : []
  }
  return found
    ? source.endpoints(service, found).map(({ host, port }) => ({ host, port, external: false, protocol }))
    : []
}

interface Followed {
  readonly target: Target
  /** What was told last. */
  told: readonly BackendAddress[] | undefined
}

/** Follows nothing yet; `tell` gets what has changed by itself, by `idOfTarget`. */
export function followTargets(
  source: ServiceSource,
  tell: (changes: Entries<readonly BackendAddress[]>) => void,
): FollowedTargets {
  /** By service, then by id. */
  const services = new Map<string, Map<string, Followed>>()

  function changesOf(targets: Iterable<readonly [string, Followed]>) {
    const changes: [string, BackendAddress[]][] = []
    for (const [id, followed] of targets) {
      const addresses = lookUp(source, followed.target)
      if (equalJson(followed.told, addresses)) continue
      followed.told = addresses
      changes.push([id, addresses])
    }
    return changes
  }

  const end = source.follow(key => {
    const changes = changesOf(services.get(key) ?? [])
    if (changes.length) tell(changes)
  })
  return {
    use(targets) {
      const wanted = new Map(targets.map(target => [idOfTarget(target), target]))
      const changes: [string, BackendAddress[] | undefined][] = []
      for (const [key, followed] of services) {
        for (const id of followed.keys()) {
          if (wanted.has(id)) continue
          followed.delete(id)
          changes.push([id, undefined])
        }
        if (followed.size === 0) services.delete(key)
      }
      for (const [id, target] of wanted) {
        const key = `${target.namespace}/${target.service}`
        let followed = services.get(key)
        if (!followed) services.set(key, (followed = new Map()))
        if (followed.has(id)) continue
        const one: Followed = { target, told: undefined }
        followed.set(id, one)
        changes.push(...changesOf([[id, one]]))
      }
      return changes
    },
    close() {
      end()
      services.clear()
    },
  }
}
