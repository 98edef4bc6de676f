import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noProbes } from '../probes/counts.ts'
import { probeMetrics } from './probe-metrics.ts'

test('probeMetrics counts what was tried, by container, type and result', () => {
  const counts = { ...noProbes(), readiness: { successful: 4, failed: 1 } }
  const pod = { metadata: { namespace: 'shop', name: 'web', uid: 'u1' } }
  const text = probeMetrics([
    {
      pod: () => pod,
      probed: () =>
        [
          ['main', counts],
          ['side', noProbes()],
        ] as const,
    },
  ])
  const labels = (result: string) =>
    `probe_type="Readiness",result="${result}",container="main",pod="web",namespace="shop",pod_uid="u1"`
  assert.deepEqual(
    text.split('\n').filter(each => each && !each.startsWith('#')),
    [`prober_probe_total{${labels('successful')}} 4`, `prober_probe_total{${labels('failed')}} 1`],
  )
})
