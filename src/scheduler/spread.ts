/**
 * Counts of pods per topology domain, kept by deltas: what affinity and spreading ask instead of scanning pods. A
 * domain is all nodes with one value of a label.
 */
import { NO_SLOTS } from './affected.ts'
import type { PodInfo } from './pod-info.ts'
import type { Snapshot } from './snapshot.ts'

export interface Domain {
  count: number
  readonly slots: ReadonlySet<number>
}

/** Pods that match something, per value of one node label. */
export interface Tracker {
  /** Pods in the node's domain; undefined where the node has no such label. */
  count(slot: number): number | undefined
  /** Pods in all domains. */
  total(): number
  domains(): ReadonlyMap<string, Domain>
  /** A position in the list of its changes. */
  clock(): number
  /** Domains whose count changed after `clock`; undefined: too long ago, or nodes came, went or changed labels. */
  changesSince(clock: number): readonly Domain[] | undefined
}

/** Pods that refuse others near them: required anti-affinity, seen from those who come later. */
export interface Holder {
  readonly refuses: (newcomer: PodInfo) => boolean
  readonly tracker: Tracker
}

/** A pod's required anti-affinity, compiled. `id` is the same for the same term. */
export interface HeldTerm {
  readonly id: string
  readonly topologyKey: string
  readonly refuses: (newcomer: PodInfo) => boolean
}

export interface Spread {
  /** The tracker named `id`, made when first asked for. `owner` narrows it to pods of one owner and makes it cheap. */
  tracker(id: string, topologyKey: string, matches: (pod: PodInfo) => boolean, owner?: string): Tracker
  holders(): Iterable<Holder>
  /** Changes when `holders` does. */
  holdersVersion(): number
  /** Drops all trackers but the holders': nobody uses them any more. */
  forget(): void
}

const CHANGES_KEPT = 1024

interface OwnTracker extends Tracker {
  add(slot: number, sign: 1 | -1): void
  relabel(slot: number): void
}

function createTracker(snapshot: Snapshot, key: string): OwnTracker {
  const domains = new Map<string, Domain & { readonly slots: Set<number> }>()
  const valueAt: (string | undefined)[] = []
  const domainAt: (Domain | undefined)[] = []
  const countAt = new Map<number, number>()
  let total = 0
  let changes: Domain[] = []
  let firstChange = 0

  function changed(domain: Domain) {
    changes.push(domain)
    if (changes.length < 2 * CHANGES_KEPT) return
    firstChange += CHANGES_KEPT
    changes = changes.slice(CHANGES_KEPT)
  }
  function relabel(slot: number) {
    const value = snapshot.node(slot)?.metadata?.labels?.[key]
    const before = valueAt[slot]
    if (value === before) return
    const moved = countAt.get(slot) ?? 0
    const old = before === undefined ? undefined : domains.get(before)
    if (old) {
      old.count -= moved
      total -= moved
      old.slots.delete(slot)
      if (old.slots.size === 0) domains.delete(before!)
    }
    valueAt[slot] = value
    domainAt[slot] = undefined
    if (value !== undefined) {
      let domain = domains.get(value)
      if (!domain) domains.set(value, (domain = { count: 0, slots: new Set() }))
      domain.count += moved
      total += moved
      domain.slots.add(slot)
      domainAt[slot] = domain
    }
    firstChange += changes.length + 1
    changes = []
  }
  for (let slot = 0; slot < snapshot.slots; slot++) relabel(slot)

  return {
    count: slot => domainAt[slot]?.count,
    total: () => total,
    domains: () => domains,
    clock: () => firstChange + changes.length,
    changesSince: clock => (clock < firstChange ? undefined : changes.slice(clock - firstChange)),
    relabel,
    add(slot, sign) {
      const now = (countAt.get(slot) ?? 0) + sign
      if (now === 0) countAt.delete(slot)
      else countAt.set(slot, now)
      const domain = domainAt[slot]
      if (!domain) return
      domain.count += sign
      total += sign
      changed(domain)
    },
  }
}

/** Makes the counts of a snapshot. `termsOf` gives the required anti-affinity of a pod. */
export function createSpread(snapshot: Snapshot, termsOf: (pod: PodInfo) => readonly HeldTerm[]): Spread {
  const byId = new Map<string, { tracker: OwnTracker; matches: (pod: PodInfo) => boolean; owner: string }>()
  const byOwner = new Map<string, Set<string>>()
  const anyOwner = new Set<string>()
  const held = new Map<string, { refuses: Holder['refuses']; tracker: OwnTracker; pods: number }>()
  let version = 0

  function hold({ id, topologyKey, refuses }: HeldTerm, slot: number, sign: 1 | -1) {
    let holder = held.get(id)
    if (!holder) {
      held.set(id, (holder = { refuses, tracker: createTracker(snapshot, topologyKey), pods: 0 }))
      version++
    }
    holder.pods += sign
    holder.tracker.add(slot, sign)
    if (holder.pods > 0) return
    held.delete(id)
    version++
  }
  function offer(ids: Iterable<string> | undefined, info: PodInfo, slot: number, sign: 1 | -1) {
    for (const id of ids ?? []) {
      const { tracker, matches } = byId.get(id)!
      if (matches(info)) tracker.add(slot, sign)
    }
  }
  snapshot.listen({
    pod(info, slot, sign) {
      if (info.owner) offer(byOwner.get(info.owner), info, slot, sign)
      offer(anyOwner, info, slot, sign)
      for (const term of termsOf(info)) hold(term, slot, sign)
    },
    labels(slot) {
      for (const { tracker } of byId.values()) tracker.relabel(slot)
      for (const { tracker } of held.values()) tracker.relabel(slot)
    },
  })

  return {
    tracker(id, topologyKey, matches, owner = '') {
      const known = byId.get(id)
      if (known) return known.tracker
      const tracker = createTracker(snapshot, topologyKey)
      for (let slot = 0; slot < snapshot.slots; slot++) {
        for (const info of snapshot.pods(slot)) {
          if ((!owner || info.owner === owner) && matches(info)) tracker.add(slot, 1)
        }
      }
      byId.set(id, { tracker, matches, owner })
      if (!owner) anyOwner.add(id)
      else {
        const ids = byOwner.get(owner)
        if (ids) ids.add(id)
        else byOwner.set(owner, new Set([id]))
      }
      return tracker
    },
    holders: () => held.values(),
    holdersVersion: () => version,
    forget() {
      byId.clear()
      byOwner.clear()
      anyOwner.clear()
    },
  }
}

/** All slots of some domains. Where one of them holds the others' slots too, nothing is copied. */
function slotsOf(domains: ReadonlySet<Domain>): ReadonlySet<number> {
  let largest: Domain | undefined
  for (const domain of domains) if (!largest || domain.slots.size > largest.slots.size) largest = domain
  if (!largest) return NO_SLOTS
  let copy: Set<number> | undefined
  for (const domain of domains) {
    if (domain === largest) continue
    for (const slot of domain.slots) if (!largest.slots.has(slot)) (copy ??= new Set(largest.slots)).add(slot)
  }
  return copy ?? largest.slots
}

/** Follows trackers for a `Prepared`: the slots whose domains changed since the last call. */
export function follow(trackers: readonly Tracker[]): () => ReadonlySet<number> | 'all' {
  const clocks = trackers.map(tracker => tracker.clock())
  return () => {
    const changed = new Set<Domain>()
    let all = false
    for (const [at, tracker] of trackers.entries()) {
      const domains = tracker.changesSince(clocks[at]!)
      clocks[at] = tracker.clock()
      if (!domains) all = true
      else for (const domain of domains) changed.add(domain)
    }
    return all ? 'all' : slotsOf(changed)
  }
}
