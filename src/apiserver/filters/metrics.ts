/**
 * What happened, in numbers: the metrics that dashboards for Kubernetes' API server look for, in Prometheus' text
 * format. Counting is adding to a few numbers; everything else is done when somebody asks.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Filter, ServerRequest } from '../request.ts'

/** Upper bounds in seconds, as upstream has them. */
const BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const

interface Series {
  readonly labels: string
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
  /** Labels in the text format (`resource="pods"`) and values. */
  read(): Iterable<readonly [labels: string, value: number]>
}

export interface Metrics {
  readonly filter: Filter
  /** The text that `/metrics` answers with. */
  text(gauges: readonly Gauge[]): string
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

function labelsOf(request: ServerRequest, code: number | undefined): string {
  const { info, method } = request
  const verb = LONG.has(info.subresource) ? 'CONNECT' : (VERBS[info.verb] ?? (METHODS.has(method) ? method : 'other'))
  const dryRun = request.query.has('dryRun') ? 'All' : ''
  // Only what is served becomes a label: clients must not be able to make up new ones.
  const known = request.kind !== undefined
  const [group, version, resource] = known ? [info.group, info.version, info.resource] : ['', '', '']
  const sub = known ? info.subresource : ''
  const end = code === undefined ? '' : `,code="${code}"`
  return `verb="${verb}",dry_run="${dryRun}",group="${group}",version="${version}",resource="${resource}",subresource="${sub}",scope="${scopeOf(request)}",component="apiserver"${end}`
}

function bucketOf(seconds: number): number {
  for (let at = 0; at < BUCKETS.length; at++) if (seconds <= BUCKETS[at]!) return at
  return BUCKETS.length
}

function histogramLines(name: string, { labels, buckets, sum, count }: Histogram): string[] {
  let below = 0
  const lines = BUCKETS.map((bound, at) => {
    below += buckets[at]!
    return `${name}_bucket{${labels},le="${bound}"} ${below}`
  })
  lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`)
  lines.push(`${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`)
  return lines
}

const head = (name: string, type: string, help: string) => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]

function gaugeLines({ name, type, help, read }: Gauge): string[] {
  const lines = head(name, type, help)
  for (const [labels, value] of read()) lines.push(labels ? `${name}{${labels}} ${value}` : `${name} ${value}`)
  return lines
}

/** Makes the counters, all zero. */
export function createMetrics(clock: Clock): Metrics {
  const totals = new Map<string, Series>()
  const durations = new Map<string, Histogram>()

  function count(request: ServerRequest, code: number, ms: number) {
    const labels = labelsOf(request, code)
    const total = totals.get(labels)
    if (total) total.count++
    else totals.set(labels, { labels, count: 1 })
    if (request.info.verb === 'watch' || LONG.has(request.info.subresource)) return
    const of = labelsOf(request, undefined)
    let histogram = durations.get(of)
    if (!histogram) {
      histogram = { labels: of, count: 0, sum: 0, buckets: new Uint32Array(BUCKETS.length + 1) }
      durations.set(of, histogram)
    }
    histogram.count++
    histogram.sum += ms / 1000
    histogram.buckets[bucketOf(ms / 1000)]!++
  }

  return {
    filter: next => async request => {
      const start = clock.now()
      const answer = await next(request)
      count(request, answer.status, clock.now() - start)
      return answer
    },
    text(gauges) {
      const lines = head('apiserver_request_total', 'counter', 'Requests by verb, resource and HTTP response code.')
      for (const { labels, count } of totals.values()) lines.push(`apiserver_request_total{${labels}} ${count}`)
      const name = 'apiserver_request_duration_seconds'
      lines.push(...head(name, 'histogram', 'Time from the request to the beginning of its answer, in seconds.'))
      for (const histogram of durations.values()) lines.push(...histogramLines(name, histogram))
      for (const gauge of gauges) lines.push(...gaugeLines(gauge))
      return `${lines.join('\n')}\n`
    },
  }
}
