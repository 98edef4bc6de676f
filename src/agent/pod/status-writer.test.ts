import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import { strategicMergePatch } from '../../api/machinery/strategic-merge-patch.ts'
import type { Client } from '../../client/client.ts'
import { silent } from '../../lib/log.ts'
import { settled, virtualClock } from '../../lib/virtual-clock.ts'
import { createStatusWriter, statusPatch } from './status-writer.ts'

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

test('createStatusWriter contradicts a writer that insists more and more rarely', async () => {
  const clock = virtualClock()
  let revision = 1
  const writes: number[] = []
  const podOf = (status: PodStatus): Pod => ({
    metadata: { name: 'p', uid: 'u', resourceVersion: String(++revision) },
    status,
  })
  const kind = {
    async patch(_: unknown, { status }: { status: PodStatus }) {
      writes.push(Math.round(clock.elapsed() / 1000))
      return podOf(status)
    },
  }
  const deps = { client: { kind: () => kind } as unknown as Client, clock, logger: silent }
  const writer = createStatusWriter({ ...deps, signal: new AbortController().signal }, podOf({}), () => {})
  writer.set({ phase: 'Running' })
  await settled(10)
  // Whenever it was written, someone writes something else.
  const foreign = () => writer.seen(podOf({ phase: 'Failed' }))
  for (let second = 0; second < 130; second++) {
    foreign()
    await clock.advance(1000, () => settled(10))
  }
  assert.deepEqual(writes, [0, 0, 1, 3, 7, 15, 31, 63, 123])
  await clock.advance(600_000, () => settled(10))
  const before = writes.length
  foreign()
  await settled(10)
  assert.equal(writes.length, before + 1)
})
