/** Where an Ingress is served, as its status says it. */
import { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Client } from '../../client/client.ts'
import type { Port } from '../server/ports.ts'

type Status = NonNullable<NonNullable<NonNullable<Ingress['status']>['loadBalancer']>['ingress']>

/** Where the gateway is. */
export interface Place {
  /** By which clients reach this machine. */
  readonly address: string
  readonly plain: Port
  readonly secure: Port
}

const HTTP = 80
const HTTPS = 443
/** As services' load balancers say it. */
const NOT_AVAILABLE = 'PortNotAvailable'

/** The address, with the ports where they are not those that everybody expects. */
export function statusOf({ spec }: Ingress, { address, plain, secure }: Place): Status {
  const used = spec?.tls?.length ? [plain, secure] : [plain]
  if (used.every(port => port.why() !== undefined)) return []
  const isPlainSailing = [plain, secure].every(
    (port, at) => port.number() === [HTTP, HTTPS][at] && port.why() === undefined,
  )
  const ports = [plain, secure].map(port => ({
    port: port.number(),
    protocol: 'TCP' as const,
    ...(port.why() !== undefined && { error: NOT_AVAILABLE }),
  }))
  return [{ ip: address, ...(!isPlainSailing && { ports }) }]
}

const view = (status: Status | undefined) =>
  JSON.stringify((status ?? []).map(({ ip, ports = [] }) => [ip, ports.map(({ port, error }) => [port, error])]))

/** Writes a status, where it is another one than there is. */
export async function writeStatus(client: Client, ingress: Ingress, status: Status): Promise<void> {
  if (view(ingress.status?.loadBalancer?.ingress) === view(status)) return
  const { namespace, name = '' } = ingress.metadata ?? {}
  const body = { status: { loadBalancer: { ingress: status.length ? status : null } } }
  await client.kind<Ingress>(Ingress).patch({ namespace, name }, body, { type: 'merge', subresource: 'status' })
}
