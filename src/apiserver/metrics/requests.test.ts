import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { metricsText } from '../../lib/metrics.ts'
import { processMetrics } from '../../lib/process-metrics.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ServerRequest } from '../request.ts'
import { requestMetrics } from './requests.ts'

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[\d.e+-]+|\+Inf|NaN)$/

/** The samples of a text in Prometheus' format, by name with labels; refuses what the format does not have. */
function parse(text: string): Map<string, number> {
  const types = new Set<string>()
  const samples = new Map<string, number>()
  assert.ok(text.endsWith('\n'))
  for (const line of text.split('\n').filter(Boolean)) {
    if (line.startsWith('# TYPE ')) types.add(line.split(' ')[2]!)
    if (line.startsWith('#')) continue
    const [, name, labels, value] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`)
    assert.ok(types.has(name!) || types.has(name!.replace(/_(bucket|sum|count)$/, '')), `${name} has no type`)
    const key = labels === undefined ? name! : `${name}{${labels}}`
    assert.ok(!samples.has(key), `${key} is there twice`)
    samples.set(key, Number(value))
  }
  return samples
}

function requestFor(method: string, target: string): ServerRequest {
  const { pathname, searchParams } = new URL(target, 'https://localhost')
  const info = parseRequestInfo(method, pathname, searchParams)
  const request: Partial<ServerRequest> = { method, path: pathname, query: searchParams, info, headers: {} }
  if (info.resource === 'configmaps') request.kind = ConfigMap
  return request as ServerRequest
}

/** Metrics after some requests that took `ms` each. */
async function after(requests: readonly [method: string, target: string, status: number, ms: number][]) {
  const clock = virtualClock()
  const metrics = requestMetrics(clock)
  for (const [method, target, status, ms] of requests) {
    const handler = metrics.filter(async () => {
      await clock.advance(ms)
      return { status, type: 'value', value: null }
    })
    await handler(requestFor(method, target))
  }
  return metrics
}

const MAPS = '/api/v1/namespaces/shop/configmaps'
const OF_MAPS = 'group="",version="v1",resource="configmaps",subresource=""'

test('requestMetrics counts requests by verb, resource and code', async () => {
  const metrics = await after([
    ['GET', `${MAPS}/a`, 200, 1],
    ['GET', `${MAPS}/b`, 200, 1],
    ['GET', `${MAPS}/c`, 404, 1],
    ['POST', `${MAPS}?dryRun=All`, 201, 1],
    ['GET', '/api/v1/namespaces/shop/made-up', 404, 1],
  ])
  const samples = parse(await metricsText(metrics.families))
  const total = (labels: string) => samples.get(`apiserver_request_total{${labels}}`)
  const tail = (scope: string, code: number) => `scope="${scope}",component="apiserver",code="${code}"`
  assert.equal(total(`verb="GET",dry_run="",${OF_MAPS},${tail('resource', 200)}`), 2)
  assert.equal(total(`verb="GET",dry_run="",${OF_MAPS},${tail('resource', 404)}`), 1)
  assert.equal(total(`verb="POST",dry_run="All",${OF_MAPS},${tail('namespace', 201)}`), 1)
  const unknown = 'group="",version="",resource="",subresource=""'
  assert.equal(total(`verb="LIST",dry_run="",${unknown},${tail('namespace', 404)}`), 1)
})

test('requestMetrics puts durations in cumulative buckets, whatever the code, and leaves watches out', async () => {
  const metrics = await after([
    ['GET', `${MAPS}/a`, 200, 5],
    ['GET', `${MAPS}/a`, 404, 30],
    ['GET', `${MAPS}/a`, 200, 90_000],
    ['GET', `${MAPS}?watch=1`, 200, 1000],
  ])
  const samples = parse(await metricsText(metrics.families))
  const labels = `verb="GET",dry_run="",${OF_MAPS},scope="resource",component="apiserver"`
  const name = 'apiserver_request_duration_seconds'
  const below = (le: string) => samples.get(`${name}_bucket{${labels},le="${le}"}`)
  assert.deepEqual(['0.005', '0.025', '0.05', '60', '+Inf'].map(below), [1, 1, 2, 2, 3])
  assert.equal(samples.get(`${name}_sum{${labels}}`), 90.035)
  assert.equal(samples.get(`${name}_count{${labels}}`), 3)
  assert.equal([...samples.keys()].filter(key => key.startsWith(`${name}_count`)).length, 1)
})

test('requestMetrics keeps count of watches that are open, their events, and the sizes of answers', async () => {
  const metrics = requestMetrics(virtualClock())
  const sent = async (target: string) => {
    const request = requestFor('GET', target)
    await metrics.filter(async () => ({ status: 200, type: 'value', value: null }))(request)
    return request
  }
  const watch = await sent(`${MAPS}?watch=1`)
  const other = await sent(`${MAPS}?watch=1`)
  metrics.watched(watch, 3, 3000)
  metrics.ended(other, 10)
  metrics.ended(await sent(`${MAPS}/a`), 500)
  const samples = parse(await metricsText(metrics.families))
  const labels = (verb: string, scope: string) => `verb="${verb}",${OF_MAPS},scope="${scope}",component="apiserver"`
  assert.equal(samples.get(`apiserver_longrunning_requests{${labels('WATCH', 'namespace')}}`), 1)
  assert.equal(samples.get('apiserver_watch_events_total{group="",version="v1",resource="configmaps"}'), 3)
  assert.equal(samples.get('apiserver_watch_events_sizes_sum{group="",version="v1",resource="configmaps"}'), 3000)
  assert.equal(samples.get(`apiserver_response_sizes_sum{${labels('GET', 'resource')}}`), 500)
})

test('processMetrics describes this process', async () => {
  const samples = parse(await metricsText(processMetrics(5000)))
  assert.equal(samples.get('process_start_time_seconds'), 5)
  assert.ok(samples.get('process_resident_memory_bytes')! > 1e6)
  assert.ok(samples.get('process_cpu_seconds_total')! > 0)
  assert.ok(samples.get('nodejs_heap_size_used_bytes')! > 1e6)
})
