import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deployment } from '../../api/kinds/apps/deployment.ts'
import { Namespace } from '../../api/kinds/core/namespace.ts'
import { parseLabelSelector } from '../../api/machinery/label-selector.ts'
import { createClient } from '../../client/client.ts'
import type { Resource } from '../../client/resource.ts'
import type { Transport } from '../../client/transport.ts'
import { createMetrics } from './metrics.ts'

const WEB = parseLabelSelector('app=web')
const CUSTOM = '/apis/custom.metrics.k8s.io'
const EXTERNAL = '/apis/external.metrics.k8s.io'
const PODS = '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods'
const missing = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404, message: 'not here' }
const timestamp = '2026-01-01T00:00:00Z'
const time = Date.parse(timestamp)

/** Metrics of APIs that answer these paths alone, and what they were asked. */
function metricsOf(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  const transport = (async ({ path, query }) => {
    asked.push(`${path}?${new URLSearchParams(query)}`)
    return answers[path] ? { status: 200, object: answers[path] } : { status: 404, object: missing }
  }) as Transport
  const kinds = [Namespace, Deployment] as readonly Resource[]
  const served = {
    list: () => kinds,
    find: (apiVersion: string, kind: string) =>
      kinds.find(each => each.apiVersion === apiVersion && each.kind === kind),
  }
  return { metrics: createMetrics(createClient(transport), served), asked }
}

const version = (group: string) => ({ preferredVersion: { groupVersion: `${group.slice('/apis/'.length)}/v1beta2` } })

test('resource gives what each pod uses, or one container of it, and leaves out pods that do not tell', async () => {
  const pod = (name: string, ...usages: object[]) => ({
    metadata: { name },
    ...{ timestamp, window: '10s' },
    containers: usages.map((usage, i) => ({ name: `c${i}`, usage })),
  })
  const items = [pod('a', { cpu: '100m' }, { cpu: '50m' }), pod('b', { cpu: '1' }, { memory: '1Ki' })]
  const { metrics, asked } = metricsOf({ [PODS]: { items } })
  const sample = (value: number) => ({ value, time, window: 10_000 })
  assert.deepEqual([...(await metrics.resource('shop', WEB, 'cpu', undefined))], [['a', sample(150)]])
  assert.deepEqual(
    [...(await metrics.resource('shop', WEB, 'cpu', 'c0'))],
    [
      ['a', sample(100)],
      ['b', sample(1000)],
    ],
  )
  assert.equal(asked[0], `${PODS}?labelSelector=app%3Dweb`)
})

test('ofPods asks the custom metrics API for the series of the pods', async () => {
  const path = `${CUSTOM}/v1beta2/namespaces/shop/pods/*/requests`
  const items = [
    { describedObject: { name: 'a' }, timestamp, value: '1500m' },
    { describedObject: { name: 'b' }, timestamp, windowSeconds: 30, value: '2' },
  ]
  const { metrics, asked } = metricsOf({ [CUSTOM]: version(CUSTOM), [path]: { items } })
  const metric = { name: 'requests', selector: { matchLabels: { verb: 'get' } } }
  assert.deepEqual(
    [...(await metrics.ofPods('shop', WEB, metric))],
    [
      ['a', { value: 1500, time, window: 60_000 }],
      ['b', { value: 2000, time, window: 30_000 }],
    ],
  )
  assert.equal(asked.at(-1), `${path}?labelSelector=app%3Dweb&metricLabelSelector=verb%3Dget`)
})

test('ofObject asks for one object, by the group of its kind', async () => {
  const items = [{ value: '7' }]
  const { metrics } = metricsOf({
    [CUSTOM]: version(CUSTOM),
    [`${CUSTOM}/v1beta2/namespaces/shop/deployments.apps/web/queue`]: { items },
    [`${CUSTOM}/v1beta2/namespaces/shop/metrics/queue`]: { items },
  })
  const metric = { name: 'queue' }
  assert.equal(await metrics.ofObject('shop', { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, metric), 7000)
  assert.equal(await metrics.ofObject('shop', { apiVersion: 'v1', kind: 'Namespace', name: 'shop' }, metric), 7000)
  await assert.rejects(metrics.ofObject('shop', { apiVersion: 'x/v1', kind: 'Thing', name: 'a' }, metric), {
    message: 'no matches for kind "Thing" in group "x"',
  })
})

test('external adds up the series of a metric', async () => {
  const path = `${EXTERNAL}/v1beta2/namespaces/shop/queue`
  const { metrics, asked } = metricsOf({
    [EXTERNAL]: version(EXTERNAL),
    [path]: { items: [{ value: '3' }, { value: '500m' }] },
  })
  assert.equal(await metrics.external('shop', { name: 'queue', selector: { matchLabels: { a: 'b' } } }), 3500)
  assert.equal(asked.at(-1), `${path}?labelSelector=a%3Db`)
})

test('metrics that are not there are told with the API that does not have them', async () => {
  const { metrics } = metricsOf({
    [PODS]: { items: [] },
    [CUSTOM]: version(CUSTOM),
    [`${CUSTOM}/v1beta2/namespaces/shop/pods/*/none`]: { items: [] },
  })
  const unable = (api: string) => `unable to fetch metrics from ${api} metrics API: `
  await assert.rejects(metrics.resource('shop', WEB, 'cpu', undefined), {
    message: 'no metrics returned from resource metrics API',
  })
  await assert.rejects(metrics.ofPods('shop', WEB, { name: 'none' }), {
    message: `${unable('custom')}no metrics returned from custom metrics API`,
  })
  await assert.rejects(metrics.ofPods('shop', WEB, { name: 'unknown' }), { message: `${unable('custom')}not here` })
  await assert.rejects(metrics.external('shop', { name: 'queue' }), {
    message: `${unable('external')}no external metrics API (external.metrics.k8s.io) registered`,
  })
})
