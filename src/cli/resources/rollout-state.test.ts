import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import { rolloutState } from './rollout-state.ts'

const deployment = (status: object, generation = 1) =>
  ({ metadata: { name: 'web', generation }, spec: { replicas: 3 }, status }) as Deployment

const cases: [string, Deployment, { done: boolean; failed: boolean; message: RegExp }][] = [
  [
    'unseen',
    deployment({ observedGeneration: 1 }, 2),
    { done: false, failed: false, message: /spec update to be observed/ },
  ],
  [
    'updating',
    deployment({ observedGeneration: 1, updatedReplicas: 1, replicas: 4 }),
    { done: false, failed: false, message: /1 out of 3 new replicas have been updated/ },
  ],
  [
    'old ones end',
    deployment({ observedGeneration: 1, updatedReplicas: 3, replicas: 4 }),
    { done: false, failed: false, message: /1 old replicas are pending termination/ },
  ],
  [
    'not available',
    deployment({ observedGeneration: 1, updatedReplicas: 3, replicas: 3, availableReplicas: 2 }),
    { done: false, failed: false, message: /2 of 3 updated replicas are available/ },
  ],
  [
    'done',
    deployment({ observedGeneration: 1, updatedReplicas: 3, replicas: 3, availableReplicas: 3 }),
    { done: true, failed: false, message: /successfully rolled out/ },
  ],
  [
    'stuck',
    deployment({ observedGeneration: 1, conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] }),
    { done: false, failed: true, message: /exceeded its progress deadline/ },
  ],
]
for (const [title, object, expected] of cases) {
  test(`rolloutState of a deployment that is ${title}`, () => {
    const { done, failed, message } = rolloutState(object)
    assert.deepEqual({ done, failed }, { done: expected.done, failed: expected.failed })
    assert.match(message, expected.message)
  })
}
