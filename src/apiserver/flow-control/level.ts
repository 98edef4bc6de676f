/** A priority level: how many seats its requests may take at a time, and what happens to those beyond. */
import type { PriorityLevelConfiguration } from '../../api/generated/types/flowcontrol-v1.ts'
import { createQueueSet, type QueueSet } from './queue-set.ts'

export interface Level {
  readonly name: string
  readonly uid: string
  readonly exempt: boolean
  /** Seats that it has by its share. */
  readonly nominal: number
  /** Of those, how many others may use while they are free. */
  readonly lendable: number
  /** Beyond those, how many it may use of others. */
  readonly borrowing: number
  /** Undefined: what does not find a seat is refused at once. */
  readonly queues: QueueSet | undefined
  /** Seats that are taken, and requests that take them. */
  seats: number
  executing: number
}

const PERCENT = 100

/** Whether two configurations queue alike: then the queues, with who waits in them, stay. */
function sameQueues(a: PriorityLevelConfiguration | undefined, b: PriorityLevelConfiguration): boolean {
  const text = (of: PriorityLevelConfiguration | undefined) => JSON.stringify(of?.spec?.limited?.limitResponse)
  return text(a) === text(b)
}

const sharesOf = ({ spec }: PriorityLevelConfiguration): number =>
  spec?.type === 'Exempt'
    ? (spec.exempt?.nominalConcurrencyShares ?? 0)
    : (spec?.limited?.nominalConcurrencyShares ?? 30)

/** A level and what it was made of. */
export interface KnownLevel {
  readonly of: PriorityLevelConfiguration
  readonly level: Level
}

function queuesOf({ spec }: PriorityLevelConfiguration): QueueSet | undefined {
  if (spec?.limited?.limitResponse?.type !== 'Queue') return undefined
  const { queues = 64, handSize = 8, queueLengthLimit = 50 } = spec.limited.limitResponse.queuing ?? {}
  return createQueueSet({ queues, handSize, queueLengthLimit })
}

/**
 * The levels of these configurations, by name; `seats` is what the whole server has. What is taken and who waits is
 * carried over from the levels that were.
 */
export function levelsOf(
  configurations: readonly PriorityLevelConfiguration[],
  seats: number,
  before: ReadonlyMap<string, KnownLevel>,
): Map<string, KnownLevel> {
  const all = configurations.reduce((sum, each) => sum + sharesOf(each), 0)
  return new Map(
    configurations.map(of => {
      const name = of.metadata?.name ?? ''
      const known = before.get(name)
      const own = of.spec?.type === 'Exempt' ? of.spec.exempt : of.spec?.limited
      const nominal = all ? Math.ceil((seats * sharesOf(of)) / all) : 0
      const part = (percent: number) => Math.round((nominal * percent) / PERCENT)
      const limit = of.spec?.limited?.borrowingLimitPercent
      const next: Level = {
        name,
        uid: of.metadata?.uid ?? '',
        exempt: of.spec?.type === 'Exempt',
        nominal,
        lendable: part(own?.lendablePercent ?? 0),
        borrowing: limit === undefined || limit === null ? Number.POSITIVE_INFINITY : part(limit),
        queues: known && sameQueues(known.of, of) ? known.level.queues : queuesOf(of),
        seats: 0,
        executing: 0,
      }
      // Those who hold seats give them back to the level that they were taken from: it stays the same object.
      const level = known
        ? Object.assign(known.level, { ...next, seats: known.level.seats, executing: known.level.executing })
        : next
      return [name, { of, level }] as const
    }),
  )
}

/**
 * Whether a request of this width may begin. A level has its own seats at once, even those that it has lent; beyond
 * them it takes what other levels offer and do not use.
 */
export function hasRoom(level: Level, width: number, all: Iterable<Level>): boolean {
  if (level.exempt) return true
  const wanted = level.seats + width
  if (wanted <= level.nominal) return true
  // Wider than the whole level: alone it may.
  if (level.executing === 0 && width > level.nominal) return true
  if (wanted > level.nominal + level.borrowing) return false
  let offered = 0
  for (const each of all) {
    const free = each.nominal - each.seats
    if (free < 0) offered += free
    else if (each !== level) offered += Math.min(each.lendable, free)
  }
  return wanted - Math.max(level.nominal, level.seats) <= offered
}
