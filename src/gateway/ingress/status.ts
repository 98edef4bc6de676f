/** Where an Ingress is served, as its status says it. */
import { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Client } from '../../client/client.ts'

type Status = NonNullable<NonNullable<NonNullable<Ingress['status']>['loadBalancer']>['ingress']>

/** A port of a machine. */
export interface PlacePort {
  readonly number: number
  /** It cannot be had. */
  readonly missing: boolean
}

/** A machine that serves Ingresses. */
export interface Place {
  /** By which clients reach it. */
  readonly address: string
  readonly plain: PlacePort
  readonly secure: PlacePort
}

const HTTP = 80
const HTTPS = 443
/** As services' load balancers say it. */
const NOT_AVAILABLE = 'PortNotAvailable'

function entryOf({ spec }: Ingress, { address, plain, secure }: Place): Status {
  const used = spec?.tls?.length ? [plain, secure] : [plain]
  if (used.every(({ missing }) => missing)) return []
  const isPlainSailing = [plain, secure].every(({ number, missing }, at) => number === [HTTP, HTTPS][at] && !missing)
  const ports = [plain, secure].map(({ number, missing }) => ({
    port: number,
    protocol: 'TCP' as const,
    ...(missing && { error: NOT_AVAILABLE }),
  }))
  return [{ ip: address, ...(!isPlainSailing && { ports }) }]
}

/** The addresses, with the ports where they are not those that everybody expects. */
export const statusOf = (ingress: Ingress, places: readonly Place[]): Status =>
  places.flatMap(place => entryOf(ingress, place))

const view = (status: Status | undefined) =>
  JSON.stringify((status ?? []).map(({ ip, ports = [] }) => [ip, ports.map(({ port, error }) => [port, error])]))

/** Writes a status, where it is another one than there is. */
export async function writeStatus(client: Client, ingress: Ingress, status: Status): Promise<void> {
  if (view(ingress.status?.loadBalancer?.ingress) === view(status)) return
  const { namespace, name = '' } = ingress.metadata ?? {}
  const body = { status: { loadBalancer: { ingress: status.length ? status : null } } }
  await client.kind<Ingress>(Ingress).patch({ namespace, name }, body, { type: 'merge', subresource: 'status' })
}
