import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsText } from '../../lib/metrics.ts'
import { checkMetrics } from './checks.ts'

test('checkMetrics tells what each check says at each endpoint, and counts', async () => {
  let fails = false
  const families = checkMetrics([
    { name: 'ping', check: () => {} },
    {
      name: 'shutdown',
      onlyReady: true,
      check: async () => {
        if (fails) throw new Error('it is shutting down')
      },
    },
  ])
  const of = async (name: string) => (await metricsText(families)).split('\n').filter(each => each.startsWith(name))
  assert.deepEqual(await of('kubernetes_healthcheck{'), [
    'kubernetes_healthcheck{name="ping",type="healthz"} 1',
    'kubernetes_healthcheck{name="shutdown",type="healthz"} 1',
    'kubernetes_healthcheck{name="ping",type="livez"} 1',
    'kubernetes_healthcheck{name="ping",type="readyz"} 1',
    'kubernetes_healthcheck{name="shutdown",type="readyz"} 1',
  ])
  fails = true
  assert.ok((await of('kubernetes_healthcheck{')).includes('kubernetes_healthcheck{name="shutdown",type="readyz"} 0'))
  const total = await of('kubernetes_healthchecks_total{')
  for (const expected of [
    'kubernetes_healthchecks_total{name="ping",type="livez",status="success"} 3',
    'kubernetes_healthchecks_total{name="shutdown",type="readyz",status="success"} 1',
    'kubernetes_healthchecks_total{name="shutdown",type="readyz",status="error"} 2',
  ])
    assert.ok(total.includes(expected), `${expected} in ${total.join('\n')}`)
})
