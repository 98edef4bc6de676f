/** Requests in numbers, under the names that dashboards for Kubernetes' API server look for. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { Clock } from '../../lib/clock.ts'
import {
  type Count,
  counter,
  type Distribution,
  exponential,
  type Family,
  gauge,
  histogram,
} from '../../lib/metrics.ts'
import type { Filter, ServerRequest } from '../request.ts'

/** Upper bounds in seconds, as upstream has them. */
export const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const

const VERBS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const LONG = new Set(['exec', 'attach', 'portforward', 'log', 'proxy'])
const READS = new Set(['GET', 'LIST'])
/** Paths that stand for themselves; others could be made up. */
const PATHS = new Set(['/healthz', '/livez', '/readyz', '/metrics', '/metrics/slis', '/version', '/api', '/apis'])

const of = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component']

/** What is counted of all requests that are alike. */
export interface RequestSeries {
  readonly totals: Map<number, Count>
  readonly durations: readonly Distribution[]
  /** Of reads only. */
  readonly sizes: Distribution | undefined
  readonly bodies: Distribution | undefined
  readonly open: Count
  readonly events: Count
  readonly eventSizes: Distribution
  readonly isLong: boolean
}

type LabelledSeries = RequestSeries & { readonly labels: readonly string[] }

/** A request that was counted, by what its labels come from. */
interface Last {
  readonly kind: Kind
  readonly method: string
  readonly subresource: string
  readonly scope: string
  readonly series: LabelledSeries
}

export interface RequestMetrics {
  readonly filter: Filter
  readonly families: readonly Family[]
  /** An answer has been written to the end, or broke off; `bytes` of it were sent. */
  ended(request: ServerRequest, bytes: number): void
  /** Events of a watch have been written, `bytes` in all. */
  watched(request: ServerRequest, events: number, bytes: number): void
}

function scopeOf({ info }: ServerRequest): string {
  if (!info.isResource) return ''
  if (info.name) return 'resource'
  return info.namespace ? 'namespace' : 'cluster'
}

function subresourceOf({ info, kind, path }: ServerRequest): string {
  if (info.isResource) return kind ? info.subresource : ''
  if (path.startsWith('/openapi/v')) return path.slice(1, 11)
  return PATHS.has(path) ? path : ''
}

/** Makes the counters, all zero. */
export function requestMetrics(clock: Clock): RequestMetrics {
  const total = counter('apiserver_request_total', 'Requests by verb, resource and HTTP response code.', [
    'verb',
    'dry_run',
    ...of.slice(1),
    'code',
  ])
  const duration = histogram(
    'apiserver_request_duration_seconds',
    'Time from the request to the beginning of its answer, in seconds.',
    ['verb', 'dry_run', ...of.slice(1)],
    SECONDS,
  )
  const objective = histogram(
    'apiserver_request_sli_duration_seconds',
    'Time from the request to the beginning of its answer, in seconds, for objectives of service.',
    of,
    SECONDS,
  )
  const sizes = histogram('apiserver_response_sizes', 'Bytes of answers to reads.', of, exponential(1000, 10, 7))
  const bodies = histogram(
    'apiserver_request_body_size_bytes',
    'Bytes of the bodies of writes.',
    ['group', 'resource', 'verb'],
    exponential(1024, 4, 7),
  )
  const open = gauge('apiserver_longrunning_requests', 'Watches and streams that are open.', of)
  const events = counter('apiserver_watch_events_total', 'Events sent to watchers.', ['group', 'version', 'resource'])
  const eventSizes = histogram(
    'apiserver_watch_events_sizes',
    'Bytes of events sent to watchers.',
    ['group', 'version', 'resource'],
    exponential(1024, 2, 8),
  )
  const known = new Map<string, LabelledSeries>()
  /** The last of each verb: requests come in rows. */
  const last = new Map<string, Last>()

  function seriesOf(request: ServerRequest): LabelledSeries {
    const { kind, info, method, query } = request
    if (!kind || query.size > 0) return findSeries(request)
    const { subresource } = info
    const scope = scopeOf(request)
    const before = last.get(info.verb)
    const isSame = before?.kind === kind && before.subresource === subresource && before.scope === scope
    if (isSame && before.method === method) return before.series
    const series = findSeries(request)
    last.set(info.verb, { kind, method, subresource, scope, series })
    return series
  }

  function findSeries(request: ServerRequest): LabelledSeries {
    const { info, method } = request
    // Only what is served becomes a label: clients must not be able to make up new ones.
    const { group, version, resource } = request.kind ? info : { group: '', version: '', resource: '' }
    const isConnect = LONG.has(info.subresource)
    const verb = isConnect ? 'CONNECT' : (VERBS[info.verb] ?? (METHODS.has(method) ? method : 'other'))
    const dry = request.query.has('dryRun') ? 'All' : ''
    const subresource = subresourceOf(request)
    const scope = scopeOf(request)
    const key = `${verb} ${dry} ${group} ${version} ${resource} ${subresource} ${scope}`
    const found = known.get(key)
    if (found) return found
    const rest = [group, version, resource, subresource, scope, 'apiserver']
    const isLong = verb === 'WATCH' || isConnect
    const isWrite = request.kind !== undefined && (verb === 'POST' || verb === 'PUT' || verb === 'PATCH')
    const made = {
      labels: [verb, dry, ...rest],
      totals: new Map<number, Count>(),
      durations: isLong ? [] : [duration.at(verb, dry, ...rest), objective.at(verb, ...rest)],
      sizes: READS.has(verb) ? sizes.at(verb, ...rest) : undefined,
      bodies: isWrite ? bodies.at(group, resource, info.verb) : undefined,
      open: isLong ? open.at(verb, ...rest) : { value: 0 },
      events: verb === 'WATCH' ? events.at(group, version, resource) : { value: 0 },
      eventSizes: verb === 'WATCH' ? eventSizes.at(group, version, resource) : { observe: () => {} },
      isLong,
    }
    known.set(key, made)
    return made
  }

  return {
    families: [total, duration, objective, sizes, bodies, open, events, eventSizes],
    filter: next => async request => {
      const start = clock.elapsed()
      request.began = start
      const answer = await next(request)
      const series = seriesOf(request)
      let count = series.totals.get(answer.status)
      if (!count) series.totals.set(answer.status, (count = total.at(...series.labels, String(answer.status))))
      count.value++
      const seconds = (clock.elapsed() - start) / 1000
      for (const each of series.durations) each.observe(seconds)
      if (series.bodies) {
        const length = Number(request.headers['content-length'])
        if (length > 0) series.bodies.observe(length)
      }
      // Calls inside the process end without a word.
      if (!request.local) {
        request.series = series
        request.isOpen = series.isLong && answer.status < 400
        if (request.isOpen) series.open.value++
      }
      return answer
    },
    ended(request, bytes) {
      const { series } = request
      if (!series) return
      request.series = undefined
      series.sizes?.observe(bytes)
      if (request.isOpen) series.open.value--
    },
    watched({ series }, count, bytes) {
      if (!series || !count) return
      series.events.value += count
      for (let at = 0; at < count; at++) series.eventSizes.observe(bytes / count)
    },
  }
}
