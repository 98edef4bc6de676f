import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeApi, NodeRequest } from '../../client/node-api.ts'
import { parseSample, takeSample } from './sample.ts'

const TEXT = `# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="main",namespace="shop",pod="web"} 2.5 1767225600123
container_cpu_usage_seconds_total{container="half",namespace="shop",pod="web"} 1 1767225600123
container_cpu_usage_seconds_total{container="half",namespace="shop",pod="other"} 1 1767225600123
container_memory_working_set_bytes{container="main",namespace="shop",pod="web"} 1.048576e+06 1767225600124
container_start_time_seconds{container="main",namespace="shop",pod="web"} 1.7672255e+09
container_swap_usage_bytes{container="main",namespace="shop",pod="web"} 7 1767225600123
node_cpu_usage_seconds_total 90.5 1767225600200
node_memory_working_set_bytes 2048 1767225600200
pod_cpu_usage_seconds_total{namespace="shop",pod="web"} 9 1767225600123
resource_scrape_error 0
`

test('parseSample reads what a node and its containers used, and leaves out what is incomplete', () => {
  const { node, pods } = parseSample(TEXT)
  assert.deepEqual(node, { time: 1767225600200, cpu: 90.5, memory: 2048, startedAt: 0 })
  assert.deepEqual([...pods.keys()], ['shop/web'])
  assert.deepEqual(
    [...pods.get('shop/web')!],
    [['main', { time: 1767225600123, cpu: 2.5, memory: 1048576, startedAt: 1767225500000 }]],
  )
})

for (const text of ['', 'node_cpu_usage_seconds_total 1 5', 'node_cpu_usage_seconds_total NaN 5', '<html>'])
  test(`parseSample finds nothing in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseSample(text), { node: undefined, pods: new Map() })
  })

const answering = (status: number, body: string): NodeApi =>
  ({
    serve: async ({ path }: NodeRequest) => ({
      status: path === '/metrics/resource' ? status : 404,
      contentType: 'text/plain',
      body: (async function* () {
        yield Buffer.from(body)
      })(),
    }),
  }) as unknown as NodeApi

test('takeSample asks for what autoscaling needs, and says when a node answers something else', async () => {
  assert.equal((await takeSample(answering(200, TEXT))).node?.cpu, 90.5)
  await assert.rejects(takeSample(answering(503, '')), /answers \/metrics\/resource with 503/)
  await assert.rejects(takeSample({} as NodeApi), /answers \/metrics\/resource with nothing/)
})
