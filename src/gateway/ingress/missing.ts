/** What Ingresses name of services and cannot have. Pure. */
import type { IngressBackend } from '../../api/generated/types/networking-v1.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { portOf } from '../backends/source.ts'
import type { Problem } from './compile.ts'

const backendsOf = ({ spec }: Ingress): IngressBackend[] => [
  ...(spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
  ...(spec?.defaultBackend ? [spec.defaultBackend] : []),
]

/** Keys of the services that an Ingress names. */
export const servicesOf = (ingress: Ingress): string[] =>
  backendsOf(ingress).flatMap(({ service }) => (service ? [`${ingress.metadata?.namespace}/${service.name}`] : []))

/** Services and ports of one Ingress that are not there, each once. */
export function missing(ingress: Ingress, find: (key: string) => Service | undefined): Problem[] {
  const problems = new Map<string, Problem>()
  const say = (reason: string, message: string) => problems.set(message, { ingress, reason, message })
  for (const { service: named } of backendsOf(ingress)) {
    if (!named) continue
    const key = `${ingress.metadata?.namespace}/${named.name}`
    const wanted = named.port?.name ?? named.port?.number ?? ''
    const service = find(key)
    const isFree = service?.spec?.type === 'ExternalName' && typeof wanted === 'number'
    if (!service) say('ServiceNotFound', `service ${key} is not there`)
    else if (!isFree && !portOf(service, wanted)) say('PortNotFound', `service ${key} has no port ${wanted}`)
  }
  return [...problems.values()]
}
