import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodStatus } from '../../api/generated/types/core-v1.ts'
import { strategicMergePatch } from '../../api/machinery/strategic-merge-patch.ts'
import { statusPatch } from './status-writer.ts'

const STATUS = 'io.k8s.api.core.v1.PodStatus'
/** What the server keeps after the patch from `old` to `next`. */
const after = (old: PodStatus, next: PodStatus) =>
  strategicMergePatch(old as Record<string, unknown>, statusPatch(old, next) as Record<string, unknown>, STATUS)

test('statusPatch gives a pod with a new address only that one', () => {
  const old: PodStatus = { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], hostIPs: [{ ip: '10.0.0.9' }] }
  const next: PodStatus = {
    podIP: '10.0.0.2',
    podIPs: [{ ip: '10.0.0.2' }],
    hostIPs: [{ ip: '10.0.0.9' }],
    conditions: [],
  }
  assert.deepEqual(after(old, next), next)
  assert.deepEqual(after({}, next), next)
})

test('statusPatch takes away what is no more, and leaves conditions of others', () => {
  const ready = { type: 'Ready', status: 'True' as const }
  const old: PodStatus = {
    message: 'x',
    conditions: [
      { ...ready, reason: 'y' },
      { type: 'example.com/gate', status: 'True' },
    ],
  }
  assert.deepEqual(after(old, { conditions: [ready] }), {
    conditions: [ready, { type: 'example.com/gate', status: 'True' }],
  })
})
