/**
 * Which zone's traffic each endpoint is meant for, where a service asks for `topology-mode: Auto` (KEP-2433): every zone
 * gets as large a part of the endpoints as it has of the nodes' CPU, its own first. Pure.
 */
import type { Node } from '../../api/generated/types/core-v1.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { milliValue } from '../../api/machinery/quantity.ts'

const MODE = 'service.kubernetes.io/topology-mode'
const OLD_MODE = 'service.kubernetes.io/topology-aware-hints'
export const ZONE = 'topology.kubernetes.io/zone'
/** Nodes that run no pods of people (upstream leaves them out, too). */
const EXCLUDED = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']
/** By how much a zone's endpoints may have more to do than those of others. */
const OVERLOAD = 0.2

/** Whether a service asks for it; the annotation of old goes first. */
export function wantsTopology(annotations: Readonly<Record<string, string>> | undefined): boolean {
  const mode = annotations?.[OLD_MODE] ?? annotations?.[MODE]
  return mode === 'Auto' || mode === 'auto'
}

/** A ready endpoint. */
export interface Placed {
  readonly id: string
  readonly zone: string | undefined
  /** What it was meant for before. */
  readonly before: string | undefined
}

export type ZoneHints = { readonly zones: ReadonlyMap<string, string> } | { readonly problem: string }

interface Share {
  readonly least: number
  readonly most: number
  readonly desired: number
}

/** What part of the CPU each zone has; undefined where a node does not say. */
function cpuShares(nodes: readonly Node[]): ReadonlyMap<string, number> | undefined {
  const cpu = new Map<string, number>()
  let total = 0
  for (const node of nodes) {
    const labels = node.metadata?.labels ?? {}
    if (!isReady(node) || EXCLUDED.some(label => label in labels)) continue
    const amount = milliValue(node.status?.allocatable?.cpu ?? '0')
    const zone = labels[ZONE]
    if (!zone || amount === 0) return undefined
    cpu.set(zone, (cpu.get(zone) ?? 0) + amount)
    total += amount
  }
  return cpu.size < 2 ? undefined : new Map([...cpu].map(([zone, amount]) => [zone, amount / total]))
}

function sharesOf(nodes: readonly Node[], count: number): ReadonlyMap<string, Share> | { readonly problem: string } {
  const ratios = cpuShares(nodes)
  if (!ratios)
    return { problem: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' }
  const counted = `(${count} endpoints, ${ratios.size} zones)`
  if (ratios.size > count) return { problem: `Insufficient number of endpoints ${counted}` }
  const parts = [...ratios].map(([zone, ratio]) => {
    const least = Math.ceil((ratio * count) / (1 + OVERLOAD))
    return { zone, least, desired: Math.max(ratio * count, least) }
  })
  const rest = count - parts.reduce((sum, { least }) => sum + least, 0)
  if (rest < 0)
    return {
      problem: `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counted}`,
    }
  return new Map(parts.map(({ zone, ...part }) => [zone, { ...part, most: part.least + rest }]))
}

const countsOf = (zones: Iterable<string>) => {
  const counts = new Map<string, number>()
  for (const zone of zones) counts.set(zone, (counts.get(zone) ?? 0) + 1)
  return counts
}

/** Whether hints may stay as they are. */
const isFair = (zones: ReadonlyMap<string, string>, shares: ReadonlyMap<string, Share>) => {
  const counts = countsOf(zones.values())
  return (
    [...counts.keys()].every(zone => shares.has(zone)) &&
    [...shares].every(([zone, { least, most }]) => {
      const count = counts.get(zone) ?? 0
      return count >= least && count <= most
    })
  )
}

/** The zone that is farthest above (1) or below (-1) what it should have, and by how much. */
function farthest(counts: ReadonlyMap<string, number>, shares: ReadonlyMap<string, Share>, sign: 1 | -1) {
  let found = { zone: '', by: 0 }
  // A zone without nodes that count gives nothing: its endpoints stay for those who are there all the same.
  for (const zone of [...shares.keys()].toSorted()) {
    const by = sign * ((counts.get(zone) ?? 0) - (shares.get(zone)?.desired ?? 0))
    if (by > found.by) found = { zone, by }
  }
  return found
}

/** Everyone for its own zone; then zones that have more than their part give to those that have less. */
function distribute(endpoints: readonly Placed[], shares: ReadonlyMap<string, Share>): Map<string, string> {
  const zones = new Map(endpoints.map(({ id, zone }) => [id, zone!]))
  const own = endpoints.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for (;;) {
    const counts = countsOf(zones.values())
    const [giver, taker] = [farthest(counts, shares, 1), farthest(counts, shares, -1)]
    if (giver.by < 0.5 || taker.by < 0.5 || (giver.by < 1 && taker.by < 1)) return zones
    const given = own.find(({ id }) => zones.get(id) === giver.zone)!
    zones.set(given.id, taker.zone)
  }
}

/** The zone that each ready endpoint is meant for, or why they are meant for all. */
export function zoneHints(endpoints: readonly Placed[], nodes: readonly Node[]): ZoneHints {
  const shares = sharesOf(nodes, endpoints.length)
  if ('problem' in shares) return shares
  if (endpoints.some(({ zone }) => !zone)) return { problem: 'One or more endpoints do not have a zone specified' }
  const kept = new Map(endpoints.flatMap(({ id, before }) => (before === undefined ? [] : [[id, before] as const])))
  // With an endpoint that is new all are dealt out anew, as upstream does with those of its slice.
  const stays = kept.size === endpoints.length && isFair(kept, shares)
  return { zones: stays ? kept : distribute(endpoints, shares) }
}
