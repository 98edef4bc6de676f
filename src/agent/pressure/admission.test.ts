import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { pressureRefusal } from './admission.ts'
import type { Pressure } from './thresholds.ts'

const plain: Pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main' }] } }
const asking: Pod = {
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'main', resources: { requests: { memory: '1Mi' } } }] },
}
const tolerant: Pod = {
  metadata: { name: 'p' },
  spec: {
    containers: [{ name: 'main' }],
    tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }],
  },
}
const critical: Pod = { metadata: { name: 'p' }, spec: { priority: 2_000_001_000, containers: [{ name: 'main' }] } }
const own: Pod = { metadata: { name: 'p', annotations: { 'kubernetes.io/config.source': 'file' } }, spec: plain.spec! }

for (const [conditions, pod, what, refused] of [
  [[], plain, 'any', undefined],
  [['MemoryPressure'], plain, 'a best-effort', '[MemoryPressure]'],
  [['MemoryPressure'], asking, 'an asking', undefined],
  [['MemoryPressure'], tolerant, 'a tolerant', undefined],
  [['MemoryPressure'], critical, 'a critical', undefined],
  [['DiskPressure'], asking, 'an asking', '[DiskPressure]'],
  [['DiskPressure'], tolerant, 'a tolerant', '[DiskPressure]'],
  [['DiskPressure'], own, "a node's own", undefined],
  [['MemoryPressure', 'PIDPressure'], asking, 'an asking', '[MemoryPressure PIDPressure]'],
] as const)
  test(`pressureRefusal with ${conditions.join(' and ') || 'no want'} ${refused ? 'refuses' : 'lets in'} ${what} pod`, () => {
    assert.deepEqual(
      pressureRefusal(pod, new Set<Pressure>(conditions)),
      refused && { reason: 'Evicted', message: `The node had condition: ${refused}. ` },
    )
  })
