/** Where Ingresses are served, for `tutti status`. */
import type { Ingress } from '../../api/kinds/networking/ingress.ts'

export interface IngressSummary {
  /** `127.0.0.1, ports 8080 and 8443`; absent: none is served. */
  readonly place?: string
  /** Ports that could not be had. */
  readonly refused: readonly number[]
  /** `namespace/name` of Ingresses of a class that are not served. */
  readonly waiting: readonly string[]
}

interface Port {
  readonly port: number
  readonly error?: string | undefined
}

/** The usual ports, where a status names none. */
const USUAL: readonly Port[] = [{ port: 80 }, { port: 443 }]

/** Sums up what the statuses of all Ingresses say. */
export function summarize(ingresses: readonly Ingress[]): IngressSummary {
  const served = ingresses.flatMap(({ status }) => status?.loadBalancer?.ingress ?? [])
  const ports = served.flatMap(({ ports }): readonly Port[] => ports ?? USUAL)
  const numbers = (refused: boolean) => [
    ...new Set(ports.filter(({ error }) => Boolean(error) === refused).map(({ port }) => port)),
  ]
  const open = numbers(false)
  const addresses = [...new Set(served.flatMap(({ ip, hostname }) => ip ?? hostname ?? []))]
  return {
    ...(open.length && { place: `${addresses.join(', ')}, ports ${open.join(' and ')}` }),
    refused: numbers(true),
    waiting: ingresses
      .filter(({ spec, status }) => spec?.ingressClassName && !status?.loadBalancer?.ingress?.length)
      .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`),
  }
}
