import { tooManyRequests } from '../../api/machinery/status-error.ts'
import type { Filter, ServerRequest } from '../request.ts'

const READS = new Set(['get', 'list', 'watch'])

/** Streams and watches hold no place: they last, and cost little while they wait. */
const isLongRunning = ({ info }: ServerRequest) =>
  info.verb === 'watch' || ['exec', 'attach', 'portforward', 'log', 'proxy'].includes(info.subresource)

export interface InFlight {
  readonly filter: Filter
  /** Requests that are being answered: reads, and writes. */
  current(): { readonly readOnly: number; readonly mutating: number }
}

/**
 * Refuses requests from the wire beyond a number of them at a time, reads and writes apart, so that a flood of one
 * does not shut out the other. Calls inside the process pass: the cluster's own parts must get on.
 */
export function inFlightLimits(limits = { readOnly: 400, mutating: 200 }): InFlight {
  const current = { readOnly: 0, mutating: 0 }
  const filter: Filter = next => async request => {
    if (request.local || isLongRunning(request)) return next(request)
    const kind = READS.has(request.info.verb) ? 'readOnly' : 'mutating'
    const exempt = request.user.groups.includes('system:masters')
    if (!exempt && current[kind] >= limits[kind]) throw tooManyRequests(1)
    current[kind]++
    try {
      return await next(request)
    } finally {
      current[kind]--
    }
  }
  return { filter, current: () => current }
}
