import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsText } from '../../lib/metrics.ts'
import { createSandboxCount } from './sandbox-count.ts'

test('createSandboxCount counts sandboxes that were to be made, and those that could not be', async () => {
  const { began, families } = createSandboxCount()
  const counted = async () =>
    (await metricsText(families)).split('\n').filter(each => each.startsWith('kubelet_started'))
  assert.equal((await counted())[0], 'kubelet_started_pods_total 0')
  for (let turn = 0; turn < 7; turn++) {
    const failed = began(turn < 3 ? { spec: { containers: [], hostUsers: false } } : {})
    if (turn === 2 || turn === 3) failed()
  }
  assert.deepEqual(await counted(), [
    'kubelet_started_pods_total 7',
    'kubelet_started_pods_errors_total 2',
    'kubelet_started_user_namespaced_pods_total 3',
    'kubelet_started_user_namespaced_pods_errors_total 1',
  ])
})
