/** The numbers of flow control, under the names of upstream. */
import { counter, type Family, gauge, histogram, lookedUp } from '../../lib/metrics.ts'
import type { Level } from './level.ts'

const BUCKETS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const BOTH = ['priority_level', 'flow_schema']

/** Makes the counters; `levels` are looked at when somebody asks. */
export function flowMetrics(levels: () => Iterable<Level>) {
  const of = (name: string, help: string, read: (level: Level) => number) =>
    lookedUp('gauge', `apiserver_flowcontrol_${name}`, help, () =>
      Array.from(levels(), level => [{ priority_level: level.name }, read(level)] as const),
    )
  const dispatched = counter('apiserver_flowcontrol_dispatched_requests_total', 'Requests that were begun.', BOTH)
  const rejected = counter('apiserver_flowcontrol_rejected_requests_total', 'Requests that were sent away.', [
    ...BOTH,
    'reason',
  ])
  const queued = gauge('apiserver_flowcontrol_current_inqueue_requests', 'Requests that wait.', BOTH)
  const executing = gauge('apiserver_flowcontrol_current_executing_requests', 'Requests that hold seats.', BOTH)
  const waits = histogram(
    'apiserver_flowcontrol_request_wait_duration_seconds',
    'How long requests waited, in seconds.',
    [...BOTH, 'execute'],
    BUCKETS,
  )
  const families: Family[] = [
    dispatched,
    rejected,
    queued,
    executing,
    waits,
    of('current_executing_seats', 'Seats that are taken.', level => level.seats),
    of('nominal_limit_seats', 'Seats by the share of the level.', level => level.nominal),
    of('lower_limit_seats', 'Seats that are never lent.', level => level.nominal - level.lendable),
    of('upper_limit_seats', 'Seats with all that may be borrowed.', level =>
      Number.isFinite(level.borrowing) ? level.nominal + level.borrowing : TOTAL,
    ),
    of('current_limit_seats', 'Seats that may be taken at the moment.', level => Math.max(level.nominal, level.seats)),
  ]
  return { dispatched, rejected, queued, executing, waits, families }
}

/** What a level without a limit to its borrowing is said to be able to take: more than there is. */
const TOTAL = 600
