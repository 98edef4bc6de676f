import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitRangeItem, ResourceQuotaSpec } from '../../generated/types/core-v1.ts'
import type { Rule } from '../../machinery/kind.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { limitRangeRules } from './limit-range.validate.ts'
import { resourceQuotaRules } from './resource-quota.validate.ts'

function problems<T extends KubeObject>(rules: readonly Rule<T>[], next: T, old?: T): string[] {
  const found = rules.flatMap(rule => rule(next, old, { subresource: '', now: 0 }))
  return found.map(({ field, message }) => `${field}: ${message}`)
}

const QUOTAS: readonly [ResourceQuotaSpec, ...string[]][] = [
  [{ hard: { pods: '5', 'requests.cpu': '1', 'example.com/gpu': '2', 'count/jobs.batch': '1' } }],
  [{ hard: { storage: '1' } }, 'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
  [{ hard: { pods: '500m' } }, 'spec.hard[pods]: Invalid value: "500m": must be an integer'],
  [
    { scopes: ['BestEffort', 'NotBestEffort'] },
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ],
  [
    { scopes: ['BestEffort'], hard: { cpu: '1' } },
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ],
  [
    { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }] } },
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
]

test('resourceQuotaRules know the resources and scopes of quotas', () => {
  for (const [spec, ...expected] of QUOTAS) assert.deepEqual(problems(resourceQuotaRules, { spec }), expected)
})

test('resourceQuotaRules keep the scopes', () => {
  const found = problems(resourceQuotaRules, { spec: { scopes: [] } }, { spec: { scopes: ['Terminating'] } })
  assert.deepEqual(found, ['spec.scopes: Invalid value: []: field is immutable'])
})

const RANGES: readonly [LimitRangeItem, ...string[]][] = [
  [{ type: 'Container', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '2' } }],
  [
    { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } },
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
  ],
  [
    { type: 'Container', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } },
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
  ],
  [
    { type: 'Pod', default: { cpu: '1' } },
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  ],
  [{ type: 'Other' }, 'spec.limits[0].type: Invalid value: "Other": must be a standard limit type or fully qualified'],
]

test('limitRangeRules want limits that can be met', () => {
  for (const [item, ...expected] of RANGES) {
    assert.deepEqual(problems(limitRangeRules, { spec: { limits: [item] } }), expected)
  }
})
