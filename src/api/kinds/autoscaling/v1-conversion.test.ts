import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HorizontalPodAutoscaler as V2 } from '../../generated/types/autoscaling-v2.ts'
import { fromV2, toV2 } from './v1-conversion.ts'

const selector = { matchLabels: { app: 'a' } }
const FULL: V2 = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'a', annotations: { own: 'x' } },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'a' },
    maxReplicas: 5,
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 5,
        selectPolicy: 'Min',
        policies: [{ type: 'Pods', value: 2, periodSeconds: 30 }],
        tolerance: '500m',
      },
      scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
    },
    metrics: [
      { type: 'Pods', pods: { metric: { name: 'm', selector }, target: { type: 'AverageValue', averageValue: '10' } } },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' },
          metric: { name: 'm', selector },
          target: { type: 'Value', value: '10' },
        },
      },
      { type: 'External', external: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '30' } } },
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    ],
  },
  status: {
    desiredReplicas: 2,
    currentReplicas: 1,
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 5, averageValue: '3' } } },
      { type: 'External', external: { metric: { name: 'm' }, current: { value: '0', averageValue: '1' } } },
    ],
    conditions: [{ type: 'T', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'r' }],
  },
}

/** As a Kubernetes 1.36 server writes them. */
const ANNOTATIONS = {
  own: 'x',
  'autoscaling.alpha.kubernetes.io/behavior':
    '{"ScaleUp":{"StabilizationWindowSeconds":5,"SelectPolicy":"Min","Policies":[{"Type":"Pods","Value":2,"PeriodSeconds":30}],"Tolerance":"500m"},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":10,"PeriodSeconds":60}],"Tolerance":null}}',
  'autoscaling.alpha.kubernetes.io/conditions':
    '[{"type":"T","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"r"}]',
  'autoscaling.alpha.kubernetes.io/current-metrics':
    '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":5,"currentAverageValue":"3"}},{"type":"External","external":{"metricName":"m","currentValue":"0","currentAverageValue":"1"}}]',
  'autoscaling.alpha.kubernetes.io/metrics':
    '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"10","selector":{"matchLabels":{"app":"a"}}}},{"type":"Object","object":{"target":{"kind":"Service","name":"s","apiVersion":"v1"},"metricName":"m","targetValue":"10","selector":{"matchLabels":{"app":"a"}}}},{"type":"External","external":{"metricName":"m","targetAverageValue":"30"}}]',
}

test('fromV2 says in annotations what autoscaling/v1 has no fields for, as upstream does', () => {
  const v1 = fromV2(FULL)
  assert.deepEqual(v1.metadata?.annotations, ANNOTATIONS)
  assert.deepEqual(v1.spec, { ...v1.spec, targetCPUUtilizationPercentage: 50 })
  assert.deepEqual(v1.status, { desiredReplicas: 2, currentReplicas: 1, currentCPUUtilizationPercentage: 5 })
})

test('toV2 gives back all that fromV2 was given', () => assert.deepEqual(toV2(fromV2(FULL)), FULL))

test('toV2 takes a CPU target and a CPU measurement of autoscaling/v1', () => {
  const { spec, status } = toV2({
    spec: { scaleTargetRef: { kind: 'K', name: 'n' }, maxReplicas: 1, targetCPUUtilizationPercentage: 7 },
    status: { currentReplicas: 1, desiredReplicas: 1, currentCPUUtilizationPercentage: 5 },
  })
  assert.equal(spec.metrics?.[0]?.resource?.target.averageUtilization, 7)
  assert.equal(status?.currentMetrics?.[0]?.resource?.current.averageUtilization, 5)
})

for (const spoilt of [
  '',
  '5',
  '[5]',
  '{',
  '[{"type":7}]',
  '[{"type":"Pods","pods":{"targetAverageValue":{}}}]',
  'null',
]) {
  test(`toV2 passes over annotations that say ${spoilt || 'nothing'}`, () => {
    const annotations = Object.fromEntries(Object.keys(ANNOTATIONS).map(key => [key, spoilt]))
    const { spec, metadata } = toV2({
      metadata: { annotations },
      spec: { scaleTargetRef: { kind: 'K', name: 'n' }, maxReplicas: 1, targetCPUUtilizationPercentage: 7 },
    })
    assert.equal(spec.metrics?.length, 1)
    assert.equal(spec.behavior, undefined)
    assert.deepEqual(metadata?.annotations, { own: spoilt })
  })
}
