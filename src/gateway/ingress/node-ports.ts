/** How a node on another machine says that it serves Ingresses, and at which ports: by an annotation of its Node. Pure. */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Place, PlacePort } from './status.ts'

/** `80,443`: the port of HTTP and the one with TLS; `80,-443`: the second cannot be had. */
export const INGRESS_PORTS = 'tutti.dev/ingress-ports'
/** The label of nodes to which nothing from outside is to be sent (Kubernetes' own). */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

const VALUE = /^(-?)(\d{1,5}),(-?)(\d{1,5})$/

const write = ({ number, missing }: PlacePort) => `${missing ? '-' : ''}${number}`

/** What the annotation says of ports. */
export const portsText = (plain: PlacePort, secure: PlacePort): string => `${write(plain)},${write(secure)}`

/** Where the nodes serve that say so and are ready, by the first of their addresses within the cluster. */
export function placesOf(nodes: readonly Node[]): Place[] {
  const places = nodes.flatMap((node): Place[] => {
    const { annotations, labels } = node.metadata ?? {}
    const [, noPlain, plain, noSecure, secure] = VALUE.exec(annotations?.[INGRESS_PORTS] ?? '') ?? []
    const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    if (plain === undefined || !address || !isReady(node) || labels?.[EXCLUDED] !== undefined) return []
    return [
      {
        address,
        plain: { number: Number(plain), missing: noPlain === '-' },
        secure: { number: Number(secure), missing: noSecure === '-' },
      },
    ]
  })
  return places.sort((a, b) => (a.address < b.address ? -1 : 1))
}
