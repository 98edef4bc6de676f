/**
 * A service port as elements of nftables maps. Pure. Chains do not know services, only how many backends there are to
 * draw from; so a change of a service is a change of a few map elements, however many services there are.
 *
 *   services    address . protocol . port            → goto draw-<count>, goto stay-<count>-<seconds> with affinity, drop
 *   endpoints   address . protocol . port . number   → backend             number: 0 to count - 1, drawn at random
 *   slots       address . protocol . port . number   → identity            with affinity: which backend was drawn
 *   backends    address . protocol . port . identity → backend             identity is of the backend, not of its place
 *   affinity    client . address . protocol . port   → identity            written by the kernel, with a timeout
 *   refused     address . protocol . port                                  no backends: connections are reset
 *
 * Node ports have the same maps without the address, with names that begin with `node-`. What clients from outside of
 * the cluster are given, where that is something else, is in maps that begin with `outside-`.
 */
import { createHash } from 'node:crypto'
import { type Backend, type Frontend, type ServicePort, type Target, targetOf } from '../service-ports.ts'

export interface Element {
  readonly map: string
  readonly key: string
  /** Empty for an element of a set. */
  readonly value: string
}

/** The four sets of maps. */
export type Prefix = '' | 'node-' | 'outside-' | 'outside-node-'

/** How a chain draws: from `count` backends, for how long a client stays, and who may come. */
export interface Draw {
  readonly prefix: Prefix
  readonly count: number
  readonly seconds?: number
  readonly sources?: readonly string[]
}

/** The chain that draws, whoever comes. */
export const drawName = ({ prefix, count, seconds }: Draw) =>
  seconds === undefined ? `${prefix}draw-${count}` : `${prefix}stay-${count}-${seconds}`

/** The chain that a service's element goes to. */
export function chainName(draw: Draw): string {
  if (!draw.sources) return drawName(draw)
  const ranges = createHash('sha256').update(draw.sources.toSorted().join()).digest('hex').slice(0, 16)
  return `guard-${ranges}-${drawName(draw)}`
}

/** 32 bits that stand for a backend (FNV-1a), never 0: the same after a restart. */
export function identity({ address, port }: Backend): number {
  let hash = 0x811c9dc5
  for (const char of `${address}:${port}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return hash >>> 0 || 1
}

/** Backends with identities; of two with the same (1 in 4,000 million pairs) the second is not drawn. */
function identified(backends: readonly Backend[]): [number, Backend][] {
  return [...new Map(backends.toReversed().map(backend => [identity(backend), backend])).entries()].reverse()
}

/** Where a target stands in the maps. */
interface Spot {
  readonly prefix: Prefix
  readonly target: Target
}

/** A frontend is in the maps once or, where clients from outside are led elsewhere, twice. */
function spotsOf(port: ServicePort, frontend: Frontend): Spot[] {
  const node = frontend.address === undefined
  const inside: Spot = { prefix: node ? 'node-' : '', target: targetOf(port, frontend) }
  return frontend.outside
    ? [inside, { prefix: node ? 'outside-node-' : 'outside-', target: frontend.outside }]
    : [inside]
}

function drawOf({ affinitySeconds: seconds }: ServicePort, { sources }: Frontend, { prefix, target }: Spot): Draw {
  const count = seconds === undefined ? target.backends.length : identified(target.backends).length
  return { prefix, count, ...(seconds !== undefined && { seconds }), ...(sources && { sources }) }
}

function spotElements(port: ServicePort, frontend: Frontend, spot: Spot): Element[] {
  const { prefix, target } = spot
  const at = `${frontend.address === undefined ? '' : `${frontend.address} . `}${port.protocol} . ${frontend.port}`
  const to = ({ address, port: number }: Backend) => `${address} . ${number}`
  const verdict = (value: string): Element => ({ map: `${prefix}services`, key: at, value })
  if (target.backends.length === 0) {
    if (target.empty === 'drop') return [verdict('drop')]
    // What is left for a cluster IP is refused as a whole; at a node port nobody listens. Outside has no set of its own.
    return prefix === '' && frontend.kind !== 'cluster' ? [{ map: 'refused', key: at, value: '' }] : []
  }
  const lead = verdict(`goto ${chainName(drawOf(port, frontend, spot))}`)
  if (port.affinitySeconds === undefined)
    return [
      lead,
      ...target.backends.map((backend, n) => ({ map: `${prefix}endpoints`, key: `${at} . ${n}`, value: to(backend) })),
    ]
  return [
    lead,
    ...identified(target.backends).flatMap(([id, backend], n) => [
      { map: `${prefix}slots`, key: `${at} . ${n}`, value: String(id) },
      { map: `${prefix}backends`, key: `${at} . ${id}`, value: to(backend) },
    ]),
  ]
}

/** Every element that a service port asks for. */
export const elementsOf = (port: ServicePort): Element[] =>
  port.frontends.flatMap(frontend => spotsOf(port, frontend).flatMap(spot => spotElements(port, frontend, spot)))

/** The chains that those elements go to. */
export const drawsOf = (port: ServicePort): Draw[] =>
  port.frontends.flatMap(frontend =>
    spotsOf(port, frontend)
      .filter(({ target }) => target.backends.length > 0)
      .map(spot => drawOf(port, frontend, spot)),
  )
