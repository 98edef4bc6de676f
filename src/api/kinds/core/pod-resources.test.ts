import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, PodSpec, ResourceRequirements } from '../../generated/types/core-v1.ts'
import { containersTogether } from '../../quota/pod-resources.ts'
import { defaultPodResources } from './pod-resources.ts'
import { qosClass } from './resources.ts'

const asking = (requests: Record<string, string>, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests },
  ...more,
})

test('containersTogether() counts all at once, or one init container with the sidecars before it', () => {
  const spec: PodSpec = {
    containers: [asking({ cpu: '1' }), asking({ cpu: '500m', memory: '1Gi' })],
    initContainers: [
      asking({ memory: '1Gi' }, { restartPolicy: 'Always' }),
      asking({ cpu: '3' }),
      asking({ cpu: '1' }, { restartPolicy: 'Always' }),
    ],
  }
  assert.deepEqual(containersTogether({ spec }, 'requests'), { cpu: '3', memory: '2Gi' })
})

const cases: readonly [
  what: string,
  own: ResourceRequirements | undefined,
  filled: ResourceRequirements | undefined,
][] = [
  ['a pod that says nothing', undefined, undefined],
  ['requests alone', { requests: { cpu: '1' } }, { requests: { cpu: '1' } }],
  [
    'limits alone',
    { limits: { cpu: '2', memory: '2Gi' } },
    { limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '1', memory: '2Gi' } },
  ],
  [
    'a part of the requests',
    { limits: { memory: '2Gi' }, requests: { memory: '1Gi' } },
    { limits: { memory: '2Gi' }, requests: { cpu: '1', memory: '1Gi' } },
  ],
]

for (const [what, own, filled] of cases) {
  test(`defaultPodResources() of ${what}`, () => {
    const spec: PodSpec = {
      containers: [asking({ cpu: '1', 'ephemeral-storage': '1' })],
      ...(own && { resources: own }),
    }
    defaultPodResources(spec)
    assert.deepEqual(spec.resources, filled)
  })
}

test('defaultPodResources() limits huge pages to what containers have', () => {
  const spec: PodSpec = {
    containers: [{ name: 'c', resources: { limits: { 'hugepages-2Mi': '4Mi' } } }],
    resources: { limits: { cpu: '1' } },
  }
  defaultPodResources(spec)
  assert.deepEqual(spec.resources, {
    limits: { cpu: '1', 'hugepages-2Mi': '4Mi' },
    requests: { cpu: '1', 'hugepages-2Mi': '4Mi' },
  })
})

test('qosClass() of a request of nothing below a limit is Burstable', () => {
  const resources = { limits: { cpu: '1', memory: '1' }, requests: { cpu: '0', memory: '1' } }
  assert.equal(qosClass({ spec: { containers: [], resources } }), 'Burstable')
})
