/**
 * UDP has no connections that end: what the kernel remembers of a flow keeps leading it to its first backend for as
 * long as packets come. So what is remembered of backends that are gone, and of the time when there were none, is
 * forgotten with the change. Pure; the elements of a service before and after a change say which flows these are.
 */
import type { Element } from './elements.ts'

/** Flows to a frontend that went to a backend; without a backend: all flows to that frontend. */
export interface Flows {
  /** Absent for a node port: any address. */
  readonly address?: string
  readonly port: number
  readonly backend?: { readonly address: string; readonly port: number }
}

type Elements = ReadonlyMap<string, Element>

const JOIN = ' . '
const PROTOCOL = 'udp'
/** Maps whose elements name a backend. */
const LEADS = /(endpoints|backends)$/

/** Of a frontend that carries UDP: `address . udp . port` or `udp . port`. */
function frontendOf({ map, key }: Element): string | undefined {
  const parts = key.split(JOIN)
  const at = map.includes('node-') ? 0 : 1
  return parts[at] === PROTOCOL ? parts.slice(0, at + 2).join(JOIN) : undefined
}

/** Backends by frontend. */
function leads(elements: Elements | undefined): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const element of elements?.values() ?? []) {
    const frontend = LEADS.test(element.map) ? frontendOf(element) : undefined
    if (frontend === undefined) continue
    const backends = found.get(frontend) ?? new Set()
    found.set(frontend, backends.add(element.value))
  }
  return found
}

/** More backends than this are not asked for one by one. */
const FEW = 8

function flowsOf(frontend: string, backend?: string): Flows {
  const parts = frontend.split(JOIN)
  const [address, port] = parts.length === 3 ? [parts[0]!, parts[2]!] : [undefined, parts[1]!]
  const [to, toPort] = backend?.split(JOIN) ?? []
  return {
    ...(address && { address }),
    port: Number(port),
    ...(to && { backend: { address: to, port: Number(toPort) } }),
  }
}

/** The flows to forget after a service's elements changed from `before` to `after`. */
export function staleFlows(before: Elements | undefined, after: Elements | undefined): Flows[] {
  const [old, now] = [leads(before), leads(after)]
  const flows: Flows[] = []
  // Somebody who asked before there was a backend is remembered as one who talks to nobody.
  for (const frontend of now.keys()) if (!old.has(frontend)) flows.push(flowsOf(frontend))
  for (const [frontend, backends] of old) {
    const gone = [...backends].filter(backend => !now.get(frontend)?.has(backend))
    if (gone.length > FEW) flows.push(flowsOf(frontend))
    else flows.push(...gone.map(backend => flowsOf(frontend, backend)))
  }
  return flows
}

/**
 * Of flows that the kernel remembers, those that go to no backend of their frontend any more. `elements` are those of all
 * services: for the start, when nobody knows what was there before.
 */
export function lostFlows(remembered: readonly Required<Flows>[], elements: Iterable<Element>): Flows[] {
  const known = leads(new Map(Array.from(elements, (element, at) => [String(at), element])))
  return remembered.filter(({ address, port, backend }) => {
    const backends = known.get([address, PROTOCOL, port].join(JOIN)) ?? known.get([PROTOCOL, port].join(JOIN))
    return backends && !backends.has([backend.address, backend.port].join(JOIN))
  })
}
