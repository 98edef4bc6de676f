/**
 * What happened, in numbers: the metrics that dashboards for Kubernetes' API server look for. Counting is adding to a
 * few numbers; `prom-client`, which writes Prometheus' text, is loaded when somebody first asks for it.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Filter, ServerRequest } from '../request.ts'

/** Upper bounds in seconds, as upstream has them. */
const BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const

export type Labels = Readonly<Record<string, string>>

/** One number with its labels, as `prom-client` takes it. */
interface Sample {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

interface Series {
  readonly labels: Labels
  count: number
}

interface Histogram extends Series {
  sum: number
  /** One more than BUCKETS: beyond the last. Not cumulative. */
  readonly buckets: Uint32Array
}

/** A number that is looked up when somebody asks. */
export interface Gauge {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  read(): Iterable<readonly [labels: Labels, value: number]>
}

export interface Metrics {
  readonly filter: Filter
  /** What `/metrics` answers with: Prometheus' text format, version 0.0.4. */
  text(gauges: readonly Gauge[]): Promise<string>
}

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

function scopeOf({ info }: ServerRequest): string {
  if (!info.isResource) return ''
  if (info.name) return 'resource'
  return info.namespace ? 'namespace' : 'cluster'
}

/** Everything that tells one series of a request from another, but for the code. */
function labelsOf(request: ServerRequest) {
  const { info, method } = request
  // Only what is served becomes a label: clients must not be able to make up new ones.
  const known = request.kind !== undefined
  return {
    verb: LONG.has(info.subresource) ? 'CONNECT' : (VERBS[info.verb] ?? (METHODS.has(method) ? method : 'other')),
    dry_run: request.query.has('dryRun') ? 'All' : '',
    group: known ? info.group : '',
    version: known ? info.version : '',
    resource: known ? info.resource : '',
    subresource: known ? info.subresource : '',
    scope: scopeOf(request),
    component: 'apiserver',
  }
}

type RequestLabels = ReturnType<typeof labelsOf>

const keyOf = (of: RequestLabels): string =>
  `${of.verb} ${of.dry_run} ${of.group} ${of.version} ${of.resource} ${of.subresource} ${of.scope}`

function bucketOf(seconds: number): number {
  for (let at = 0; at < BUCKETS.length; at++) if (seconds <= BUCKETS[at]!) return at
  return BUCKETS.length
}

const DURATION = 'apiserver_request_duration_seconds'

function histogramSamples({ labels, buckets, sum, count }: Histogram): Sample[] {
  let below = 0
  const samples: Sample[] = BUCKETS.map((bound, at) => {
    below += buckets[at]!
    return { metricName: `${DURATION}_bucket`, labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...samples,
    { metricName: `${DURATION}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${DURATION}_sum`, labels, value: sum },
    { metricName: `${DURATION}_count`, labels, value: count },
  ]
}

const gaugeSamples = ({ read }: Gauge): Sample[] => Array.from(read(), ([labels, value]) => ({ labels, value }))

/** Makes the counters, all zero. */
export function createMetrics(clock: Clock): Metrics {
  const totals = new Map<string, Series>()
  const durations = new Map<string, Histogram>()

  function count(request: ServerRequest, code: number, ms: number) {
    const labels = labelsOf(request)
    const key = keyOf(labels)
    const total = totals.get(`${key} ${code}`)
    if (total) total.count++
    else totals.set(`${key} ${code}`, { labels: { ...labels, code: String(code) }, count: 1 })
    if (request.info.verb === 'watch' || LONG.has(request.info.subresource)) return
    let histogram = durations.get(key)
    if (!histogram) {
      histogram = { labels, count: 0, sum: 0, buckets: new Uint32Array(BUCKETS.length + 1) }
      durations.set(key, histogram)
    }
    histogram.count++
    histogram.sum += ms / 1000
    histogram.buckets[bucketOf(ms / 1000)]!++
  }

  return {
    filter: next => async request => {
      const start = clock.elapsed()
      const answer = await next(request)
      count(request, answer.status, clock.elapsed() - start)
      return answer
    },
    async text(gauges) {
      const { AggregatorRegistry } = await import('prom-client')
      const metrics = [
        {
          name: 'apiserver_request_total',
          type: 'counter',
          help: 'Requests by verb, resource and HTTP response code.',
          values: Array.from(totals.values(), ({ labels, count }) => ({ labels, value: count })),
        },
        {
          name: DURATION,
          type: 'histogram',
          help: 'Time from the request to the beginning of its answer, in seconds.',
          values: [...durations.values()].flatMap(histogramSamples),
        },
        ...gauges.map(gauge => ({
          name: gauge.name,
          type: gauge.type,
          help: gauge.help,
          values: gaugeSamples(gauge),
        })),
      ]
      // A histogram of prom-client's own only takes single observations; its aggregation takes numbers that were
      // counted elsewhere, which is what these are.
      return AggregatorRegistry.aggregate([metrics.map(metric => ({ ...metric, aggregator: 'first' }))]).metrics()
    },
  }
}
