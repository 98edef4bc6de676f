/**
 * A service port as elements of nftables maps. Pure. Chains do not know services, only how many backends there are to
 * draw from; so a change of a service is a change of a few map elements, however many services there are.
 *
 *   services    address . protocol . port            → goto draw-<count>, or stay-<count>-<seconds> with affinity
 *   endpoints   address . protocol . port . number   → backend             number: 0 to count - 1, drawn at random
 *   slots       address . protocol . port . number   → identity            with affinity: which backend was drawn
 *   backends    address . protocol . port . identity → backend             identity is of the backend, not of its place
 *   affinity    client . address . protocol . port   → identity            written by the kernel, with a timeout
 *   refused     address . protocol . port                                  no backends: connections are reset
 *
 * Node ports have the same maps without the address, with names that begin with `node-`.
 */
import type { Backend, Frontend, ServicePort } from '../service-ports.ts'

export interface Element {
  readonly map: string
  readonly key: string
  /** Empty for an element of a set. */
  readonly value: string
}

/** How a chain draws: from `count` backends, and for how long a client stays. */
export interface Draw {
  readonly count: number
  readonly seconds?: number
}

export const chainName = (prefix: string, { count, seconds }: Draw) =>
  seconds === undefined ? `${prefix}draw-${count}` : `${prefix}stay-${count}-${seconds}`

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

function frontendElements(port: ServicePort, frontend: Frontend): Element[] {
  const prefix = frontend.address === undefined ? 'node-' : ''
  const at = `${frontend.address === undefined ? '' : `${frontend.address} . `}${port.protocol} . ${frontend.port}`
  const to = ({ address, port: number }: Backend) => `${address} . ${number}`
  if (port.backends.length === 0) {
    // What is left for a cluster IP is refused as a whole; at a node port nobody listens.
    return frontend.kind === 'cluster' || frontend.kind === 'node' ? [] : [{ map: 'refused', key: at, value: '' }]
  }
  if (port.affinitySeconds === undefined) {
    const verdict = `goto ${chainName(prefix, { count: port.backends.length })}`
    return [
      { map: `${prefix}services`, key: at, value: verdict },
      ...port.backends.map((backend, n) => ({ map: `${prefix}endpoints`, key: `${at} . ${n}`, value: to(backend) })),
    ]
  }
  const backends = identified(port.backends)
  const verdict = `goto ${chainName(prefix, { count: backends.length, seconds: port.affinitySeconds })}`
  return [
    { map: `${prefix}services`, key: at, value: verdict },
    ...backends.flatMap(([id, backend], n) => [
      { map: `${prefix}slots`, key: `${at} . ${n}`, value: String(id) },
      { map: `${prefix}backends`, key: `${at} . ${id}`, value: to(backend) },
    ]),
  ]
}

/** Every element that a service port asks for. */
export const elementsOf = (port: ServicePort): Element[] =>
  port.frontends.flatMap(frontend => frontendElements(port, frontend))

/** The chains that those elements go to. */
export function drawsOf(port: ServicePort): Draw[] {
  if (port.backends.length === 0) return []
  const { affinitySeconds: seconds } = port
  return seconds === undefined
    ? [{ count: port.backends.length }]
    : [{ count: identified(port.backends).length, seconds }]
}
