import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import { containerResources, oomScoreAdj, podResources, sameLimits } from './kernel-resources.ts'

const both = (cpu: string, memory: string): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
})
const container = (name: string, resources?: ResourceRequirements, more: object = {}): Container => ({
  name,
  ...(resources && { resources }),
  ...more,
})
const pod = (spec: Partial<PodSpec>): Pod => ({ spec: { containers: [], ...spec } })
const MIB = 1 << 20

test('containerResources turns requests into shares and limits into quota and bytes', () => {
  const one = (resources: ResourceRequirements, spec: Partial<PodSpec> = {}) => {
    const { oomGroup, ...rest } = containerResources(pod(spec), container('a', resources))
    assert.equal(oomGroup, true)
    return rest
  }
  assert.deepEqual(one({}), { cpuShares: 2 })
  assert.deepEqual(one({ requests: { cpu: '250m' } }), { cpuShares: 256 })
  assert.deepEqual(one({ limits: { cpu: '1' } }), { cpuShares: 1024, cpuQuota: 100_000, cpuPeriod: 100_000 })
  assert.deepEqual(one({ limits: { cpu: '1m', memory: '1Mi' } }), {
    cpuShares: 2,
    cpuQuota: 1000,
    cpuPeriod: 100_000,
    memoryLimit: MIB,
  })
  assert.deepEqual(one({ requests: { cpu: '500m' } }, { resources: { limits: { cpu: '2', memory: '8Mi' } } }), {
    cpuShares: 512,
    cpuQuota: 200_000,
    cpuPeriod: 100_000,
    memoryLimit: 8 * MIB,
  })
  assert.deepEqual(one({ limits: { 'hugepages-2Mi': '4Mi', 'hugepages-1Gi': '1Gi' } }).hugepageLimits, {
    '2MB': 4 * MIB,
    '1GB': 1024 * MIB,
  })
})

/** The spec, and limits of the pod's group. */
const pods: [what: string, spec: Partial<PodSpec>, expected: object][] = [
  ['nothing asked', { containers: [container('a')] }, { cpuShares: 2 }],
  [
    'all limited',
    { containers: [container('a', both('1', '8Mi')), container('b', both('500m', '8Mi'))] },
    { cpuShares: 1536, cpuQuota: 150_000, cpuPeriod: 100_000, memoryLimit: 16 * MIB },
  ],
  [
    'one without a limit of memory',
    { containers: [container('a', both('1', '8Mi')), container('b', { limits: { cpu: '1' } })] },
    { cpuShares: 1024, cpuQuota: 200_000, cpuPeriod: 100_000 },
  ],
  [
    'a sidecar, and an init container that asks for more than all',
    {
      initContainers: [container('s', both('1', '8Mi'), { restartPolicy: 'Always' }), container('i', both('4', '8Mi'))],
      containers: [container('a', both('1', '8Mi'))],
    },
    { cpuShares: 5120, cpuQuota: 500_000, cpuPeriod: 100_000, memoryLimit: 16 * MIB },
  ],
  [
    'the pod as a whole, with the overhead of its runtime class',
    {
      resources: both('2', '8Mi'),
      overhead: { cpu: '1', memory: '2Mi' },
      containers: [container('a', { requests: { cpu: '1' } }), container('b')],
    },
    { cpuShares: 3072, cpuQuota: 300_000, cpuPeriod: 100_000, memoryLimit: 10 * MIB },
  ],
]

for (const [what, spec, expected] of pods) {
  test(`podResources: ${what}`, () => {
    assert.deepEqual(podResources(pod(spec)), expected)
    assert.deepEqual(podResources(pod(spec), 100), { ...expected, pidsLimit: 100 })
  })
}

/** As the kubelet has them, on a machine of 1000 MiB. */
const scores: [what: string, spec: Partial<PodSpec>, expected: number][] = [
  ['Guaranteed', { containers: [container('a', both('1', '8Mi'))] }, -997],
  ['BestEffort', { containers: [container('a')] }, 1000],
  ['node critical', { priority: 2_000_001_000, containers: [container('a')] }, -997],
  ['little', { containers: [container('a', { requests: { memory: '100Mi' } })] }, 900],
  ['nothing of memory', { containers: [container('a', { requests: { cpu: '1' } })] }, 999],
  ['everything', { containers: [container('a', { requests: { memory: '1000Mi' } })] }, 3],
  [
    'a sidecar is spared as what it serves',
    {
      initContainers: [container('a', { requests: { memory: '10Mi' } }, { restartPolicy: 'Always' })],
      containers: [container('b', { requests: { memory: '200Mi' } })],
    },
    800,
  ],
  [
    'the rest of what the pod asks for is shared out',
    { resources: { requests: { memory: '400Mi' } }, containers: [container('a'), container('b')] },
    800,
  ],
]

for (const [what, spec, expected] of scores) {
  test(`oomScoreAdj: ${what}`, () => {
    const all = [...(spec.initContainers ?? []), ...spec.containers!]
    assert.equal(oomScoreAdj(pod(spec), all[0]!, 1000 * MIB), expected)
  })
}

test('sameLimits takes an absent limit for none', () => {
  assert.ok(sameLimits({ cpuShares: 2 }, { cpuShares: 2, cpuQuota: 0, memoryLimit: 0 }))
  assert.ok(!sameLimits({ cpuShares: 2 }, { cpuShares: 2, memoryLimit: 1 }))
})
