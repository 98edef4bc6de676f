/** How many seats a request takes: lists and the first part of watches by what they read, everything else one. */
import type { ServerRequest } from '../request.ts'

/** Objects of a kind: how many there are, and what they take on average, in bytes of JSON. */
export interface Held {
  readonly count: number
  readonly bytes: number
}

const MAX_SEATS = 10
/** As much of answers as one seat stands for. */
const BYTES_PER_SEAT = 100_000

/** `held` tells what a list of the request's resource reads; undefined where that is not known. */
export function widthOf(request: ServerRequest, held: (request: ServerRequest) => Held | undefined): number {
  const { info, query } = request
  if (info.verb !== 'list' && info.verb !== 'watch') return 1
  if (info.name) return 1
  if (info.verb === 'watch') {
    const version = query.get('resourceVersion')
    if (query.get('sendInitialEvents') !== 'true' && version && version !== '0') return 1
  }
  const stored = held(request)
  if (!stored) return 1
  const limit = Number(query.get('limit'))
  const objects = limit > 0 && query.get('resourceVersion') !== '0' ? Math.min(limit, stored.count) : stored.count
  return Math.min(Math.max(Math.ceil((objects * stored.bytes) / BYTES_PER_SEAT), 1), MAX_SEATS)
}
