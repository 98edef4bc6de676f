import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ServerRequest } from '../request.ts'
import { createMetrics } from './metrics.ts'
import { processMetrics } from './process-metrics.ts'

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
  const request: Partial<ServerRequest> = { method, path: pathname, query: searchParams, info }
  if (info.resource === 'configmaps') request.kind = ConfigMap
  return request as ServerRequest
}

/** Metrics after some requests that took `ms` each. */
async function after(requests: readonly [method: string, target: string, status: number, ms: number][]) {
  const clock = virtualClock()
  const metrics = createMetrics(clock)
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

test('createMetrics counts requests by verb, resource and code', async () => {
  const metrics = await after([
    ['GET', `${MAPS}/a`, 200, 1],
    ['GET', `${MAPS}/b`, 200, 1],
    ['GET', `${MAPS}/c`, 404, 1],
    ['POST', `${MAPS}?dryRun=All`, 201, 1],
    ['GET', '/api/v1/namespaces/shop/made-up', 404, 1],
  ])
  const samples = parse(await metrics.text([]))
  const total = (labels: string) => samples.get(`apiserver_request_total{${labels}}`)
  const tail = (scope: string, code: number) => `scope="${scope}",component="apiserver",code="${code}"`
  assert.equal(total(`verb="GET",dry_run="",${OF_MAPS},${tail('resource', 200)}`), 2)
  assert.equal(total(`verb="GET",dry_run="",${OF_MAPS},${tail('resource', 404)}`), 1)
  assert.equal(total(`verb="POST",dry_run="All",${OF_MAPS},${tail('namespace', 201)}`), 1)
  const unknown = 'group="",version="",resource="",subresource=""'
  assert.equal(total(`verb="LIST",dry_run="",${unknown},${tail('namespace', 404)}`), 1)
})

test('createMetrics puts durations in cumulative buckets, whatever the code, and leaves watches out', async () => {
  const metrics = await after([
    ['GET', `${MAPS}/a`, 200, 5],
    ['GET', `${MAPS}/a`, 404, 30],
    ['GET', `${MAPS}/a`, 200, 90_000],
    ['GET', `${MAPS}?watch=1`, 200, 1000],
  ])
  const samples = parse(await metrics.text([]))
  const labels = `verb="GET",dry_run="",${OF_MAPS},scope="resource",component="apiserver"`
  const name = 'apiserver_request_duration_seconds'
  const below = (le: string) => samples.get(`${name}_bucket{${labels},le="${le}"}`)
  assert.deepEqual(['0.005', '0.025', '0.05', '60', '+Inf'].map(below), [1, 1, 2, 2, 3])
  assert.equal(samples.get(`${name}_sum{${labels}}`), 90.035)
  assert.equal(samples.get(`${name}_count{${labels}}`), 3)
  assert.equal([...samples.keys()].filter(key => key.startsWith(`${name}_count`)).length, 1)
})

test('createMetrics writes what gauges read at the moment, and escapes their labels', async () => {
  let value = 1
  const read = () => [[{ resource: 'a "b"\\\n' }, value]] as const
  const metrics = await after([])
  const text = () => metrics.text([{ name: 'things', help: 'Things.', type: 'gauge', read }])
  const key = 'things{resource="a \\"b\\"\\\\\\n"}'
  assert.equal(parse(await text()).get(key), 1)
  value = 2
  assert.equal(parse(await text()).get(key), 2)
})

test('processMetrics describes this process', async () => {
  const samples = parse(await (await after([])).text(processMetrics(5000)))
  assert.equal(samples.get('process_start_time_seconds'), 5)
  assert.ok(samples.get('process_resident_memory_bytes')! > 1e6)
  assert.ok(samples.get('process_cpu_seconds_total')! > 0)
  assert.ok(samples.get('nodejs_heap_size_used_bytes')! > 1e6)
})
