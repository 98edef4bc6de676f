import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counter } from '../lib/metrics.ts'
import { virtualClock } from '../lib/virtual-clock.ts'
import { createEndpoints, type EndpointDeps } from './endpoints.ts'

test('createEndpoints tells what is counted beside what pods show', async () => {
  const requests = counter('tutti_ingress_requests_total', 'Requests.', ['code'])
  requests.at('200').value = 3
  const serve = createEndpoints({
    nodeName: 'n1',
    workers: () => [],
    machine: { capacity: {} },
    podNetwork: {},
    families: [requests],
    clock: virtualClock(),
  } as unknown as EndpointDeps)
  const ask = async (path: string) => {
    const { signal } = new AbortController()
    const { body } = await serve({ method: 'GET', path, query: new URLSearchParams(), signal })
    let text = ''
    for await (const chunk of body) text += chunk
    return text
  }
  const all = await ask('/metrics')
  assert.match(all, /^kubelet_running_pods 0$/m)
  assert.match(all, /^tutti_ingress_requests_total\{code="200"\} 3$/m)
  assert.doesNotMatch(await ask('/metrics/resource'), /tutti/)
  assert.match(await ask('/metrics/slis'), /^kubernetes_healthcheck\{name="ping",type="healthz"\} 1$/m)
  assert.match(await ask('/metrics/probes'), /^# TYPE prober_probe_total counter$/m)
})
