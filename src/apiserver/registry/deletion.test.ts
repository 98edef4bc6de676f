import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findKindByKey } from '../../api/kinds/all.ts'
import { planDeletion } from './deletion.ts'
import type { DeleteOptions } from './registry.ts'

const now = Date.UTC(2026, 0, 1)
const pods = findKindByKey('v1/pods')!
const maps = findKindByKey('v1/configmaps')!
const jobs = findKindByKey('batch/v1/jobs')!
const events = findKindByKey('events.k8s.io/v1/events')!
const namespaces = findKindByKey('v1/namespaces')!

const running = { metadata: { name: 'p' }, spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 } }
const ending = {
  ...running,
  metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 30 },
}

type Expected = { type: string; metadata?: object }
const cases: [string, typeof pods, object, DeleteOptions, Expected][] = [
  ['an object goes at once', maps, { metadata: { name: 'm' } }, {}, { type: 'remove' }],
  [
    'a running pod gets its grace',
    pods,
    running,
    {},
    {
      type: 'mark',
      metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 },
    },
  ],
  ['a running pod goes at once when forced', pods, running, { gracePeriodSeconds: 0 }, { type: 'remove' }],
  ['a pod that ends already goes on ending', pods, ending, {}, { type: 'pending' }],
  ['grace is never made longer', pods, ending, { gracePeriodSeconds: 60 }, { type: 'pending' }],
  [
    'grace can be shortened, but not into the past',
    pods,
    ending,
    { gracePeriodSeconds: 5 },
    { type: 'mark', metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 1 } },
  ],
  [
    'a pod that ends is removed when its grace is set to 0',
    pods,
    ending,
    { gracePeriodSeconds: 0 },
    { type: 'remove' },
  ],
  [
    'nothing depends on an event',
    events,
    { metadata: { name: 'm' } },
    { propagationPolicy: 'Foreground' },
    { type: 'remove' },
  ],
  [
    'a job leaves its pods where nothing is said',
    jobs,
    { metadata: { name: 'm' } },
    {},
    {
      type: 'mark',
      metadata: {
        name: 'm',
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 0,
        finalizers: ['orphan'],
      },
    },
  ],
  [
    'a job takes its pods along in the background',
    jobs,
    { metadata: { name: 'm' } },
    { propagationPolicy: 'Background' },
    { type: 'remove' },
  ],
  [
    'orphaning is a finalizer',
    maps,
    { metadata: { name: 'm' } },
    { propagationPolicy: 'Orphan' },
    {
      type: 'mark',
      metadata: {
        name: 'm',
        deletionTimestamp: '2026-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 0,
        finalizers: ['orphan'],
      },
    },
  ],
  [
    'a namespace waits for the finalizers of its spec',
    namespaces,
    { metadata: { name: 'n' }, spec: { finalizers: ['kubernetes'] } },
    {},
    { type: 'mark', metadata: { name: 'n', deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ],
  [
    'a namespace that is on its way stays as it is',
    namespaces,
    { metadata: { name: 'n', deletionTimestamp: '2026-01-01T00:00:00Z' }, spec: { finalizers: ['kubernetes'] } },
    { propagationPolicy: 'Foreground' },
    { type: 'pending' },
  ],
]

for (const [what, kind, object, options, expected] of cases) {
  test(`planDeletion: ${what}`, () => {
    const before = structuredClone(object)
    const plan = planDeletion(kind, object, options, now)
    assert.equal(plan.type, expected.type)
    if (plan.type === 'mark') assert.deepEqual(plan.object.metadata, expected.metadata)
    assert.deepEqual(object, before)
  })
}

test('planDeletion: a pod that goes at once is shown as marked', () => {
  const plan = planDeletion(pods, { metadata: { name: 'p', generation: 1 } }, {}, now)
  assert.deepEqual(plan.type === 'remove' && plan.object?.metadata, {
    name: 'p',
    generation: 2,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 0,
  })
})
