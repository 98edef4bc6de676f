import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startWire, type WireServer } from '../proxy/wire.ts'

/** What dashboards and alerts for Kubernetes' API server ask for, and the type that each has there. */
const NAMES: Readonly<Record<string, string>> = {
  aggregator_unavailable_apiservice: 'gauge',
  apiserver_admission_controller_admission_duration_seconds: 'histogram',
  apiserver_admission_step_admission_duration_seconds: 'histogram',
  apiserver_current_inflight_requests: 'gauge',
  apiserver_longrunning_requests: 'gauge',
  apiserver_request_body_size_bytes: 'histogram',
  apiserver_request_duration_seconds: 'histogram',
  apiserver_request_sli_duration_seconds: 'histogram',
  apiserver_request_total: 'counter',
  apiserver_resource_objects: 'gauge',
  apiserver_response_sizes: 'histogram',
  apiserver_storage_objects: 'gauge',
  apiserver_watch_cache_resource_version: 'gauge',
  apiserver_watch_events_sizes: 'histogram',
  apiserver_watch_events_total: 'counter',
  authenticated_user_requests: 'counter',
  authentication_attempts: 'counter',
  authentication_duration_seconds: 'histogram',
  authorization_attempts_total: 'counter',
  authorization_duration_seconds: 'histogram',
  etcd_request_duration_seconds: 'histogram',
  etcd_requests_total: 'counter',
  kubernetes_build_info: 'gauge',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
}

const MAPS = '/api/v1/namespaces/default/configmaps'
let api: WireServer

before(async () => {
  api = await startWire()
})
after(() => api.close())

const scrape = async () => (await api.fetch('GET', '/metrics')).text

test('/metrics has the names and types that dashboards expect', async () => {
  const text = await scrape()
  const types = new Map(Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name!, type!]))
  for (const [name, type] of Object.entries(NAMES)) assert.equal(types.get(name), type, name)
})

test('/metrics/slis tells what the checks of health say', async () => {
  const { status, text } = await api.fetch('GET', '/metrics/slis')
  assert.equal(status, 200)
  assert.match(text, /^kubernetes_healthcheck\{name="store",type="readyz"\} 1$/m)
})

test('/metrics tells what was written and read', async () => {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
  const before = await scrape()
  await api.fetch('POST', MAPS, body, { 'content-type': 'application/json' })
  await api.fetch('GET', `${MAPS}/a`)
  const text = await scrape()
  const of = 'group="",version="v1",resource="configmaps",subresource=""'
  const value = (sample: string, at = text) =>
    Number(
      at
        .split('\n')
        .find(line => line.startsWith(`${sample} `))
        ?.split(' ')
        .at(-1),
    )
  const total = `apiserver_request_total{verb="POST",dry_run="",${of},scope="namespace",component="apiserver",code="201"}`
  assert.equal(value(total), 1)
  const sizes = `apiserver_response_sizes_count{verb="GET",${of},scope="resource",component="apiserver"}`
  assert.equal(value(sizes), 1)
  assert.ok(value(`apiserver_response_sizes_sum{verb="GET",${of},scope="resource",component="apiserver"}`) > 100)
  // The server has made some of its own.
  for (const sample of [
    'etcd_requests_total{operation="create",group="",resource="configmaps"}',
    'apiserver_storage_objects{resource="configmaps"}',
  ])
    assert.equal(value(sample) - (value(sample, before) || 0), 1, sample)
  assert.ok(value('authentication_attempts{result="success"}') >= 3)
  assert.ok(value('authenticated_user_requests{username="admin"}') >= 3)
  assert.ok(
    value(
      'apiserver_admission_step_admission_duration_seconds_count{type="admit",operation="CREATE",rejected="false"}',
    ) > 0,
  )
  assert.equal(value('aggregator_unavailable_apiservice{name="v1.apps"}'), 0)
})
