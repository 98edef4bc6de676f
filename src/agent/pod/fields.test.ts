import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import { resourceValue } from './fields.ts'

const allocatable = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' }
const pod = (own?: ResourceRequirements, ofPod?: ResourceRequirements): Pod => ({
  spec: { containers: [{ name: 'c', ...(own && { resources: own }) }], ...(ofPod && { resources: ofPod }) },
})
const limits = { limits: { cpu: '500m', memory: '1Gi' } }

const cases: [what: string, pod: Pod, resource: string, divisor: string | undefined, expected: string][] = [
  ['its own limit', pod(limits), 'limits.cpu', '1m', '500'],
  ['rounded up', pod(limits), 'limits.cpu', undefined, '1'],
  ['that of the pod where it has none', pod(undefined, { limits: { cpu: '2' } }), 'limits.cpu', undefined, '2'],
  ['that of the node where the pod has none', pod({ limits: { cpu: '0' } }), 'limits.cpu', undefined, '4'],
  ['storage, which no pod has as a whole', pod(), 'limits.ephemeral-storage', '1Gi', '100'],
  ['a request that is not there', pod(limits), 'requests.memory', '1Mi', '0'],
]
for (const [what, of, resource, divisor, expected] of cases) {
  test(`resourceValue: ${what}`, () => {
    const selector = { resource, ...(divisor && { divisor }) }
    assert.equal(resourceValue(of, selector, 'c', allocatable), expected)
  })
}
