import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { readThresholds } from './thresholds.ts'
import { type Candidate, evictionMessage, inOrderOfEviction, usedOnDisk } from './victims.ts'

const MI = 1024 * 1024
const [memory] = readThresholds({ evictionHard: { 'memory.available': '100Mi' } })
const [storage] = readThresholds({ evictionHard: { 'nodefs.available': '10%' } })
const [pids] = readThresholds({ evictionHard: { 'pid.available': '100' } })

interface Line {
  readonly used: number | undefined
  readonly request?: string
  readonly priority?: number
}

const candidate = (name: string, { used, request, priority }: Line, resource = 'memory'): Candidate => ({
  pod: {
    metadata: { name },
    spec: {
      ...(priority !== undefined && { priority }),
      containers: [{ name: 'main', ...(request && { resources: { requests: { [resource]: request } } }) }],
    },
  } as Pod,
  used,
  containers: new Map(used === undefined ? [] : [['main', used]]),
})
const names = (found: readonly Candidate[]) => found.map(({ pod }) => pod.metadata?.name).join(' ')

test('inOrderOfEviction takes what is beyond its requests first, then the lowest priority, then the farthest', () => {
  const pods = Object.entries({
    within: { used: 900 * MI, request: '1Gi' },
    important: { used: 500 * MI, request: '1Mi', priority: 100 },
    small: { used: 10 * MI },
    large: { used: 300 * MI, request: '200Mi' },
    unknown: { used: undefined },
    lowWithin: { used: 1, request: '1Gi', priority: -5 },
  }).map(([name, line]) => candidate(name, line))
  assert.equal(names(inOrderOfEviction(pods, memory!)), 'unknown large small important lowWithin within')
})

test('inOrderOfEviction counts disk by what was asked of it, and processes by priority alone', () => {
  const disk = [
    candidate('asked', { used: 50, request: '100' }, 'ephemeral-storage'),
    candidate('more', { used: 60 }, 'ephemeral-storage'),
  ]
  assert.equal(names(inOrderOfEviction(disk, storage!)), 'more asked')
  const many = [
    candidate('few', { used: 3 }),
    candidate('many', { used: 1000 }),
    candidate('low', { used: 1, priority: -1 }),
  ]
  assert.equal(names(inOrderOfEviction(many, pids!)), 'low many few')
})

test('evictionMessage says what is short and which containers take more than they asked for', () => {
  const pod: Pod = {
    metadata: { name: 'web' },
    spec: {
      containers: [
        { name: 'main', resources: { requests: { memory: '100Mi' } } },
        { name: 'small', resources: { requests: { memory: '100Mi' } } },
        { name: 'free' },
      ],
    },
  }
  const containers = new Map([
    ['main', 150 * MI],
    ['small', MI],
    ['free', 3 * MI],
  ])
  const seen = { available: 64 * MI, capacity: 1024 * MI }
  assert.equal(
    evictionMessage(memory!, seen, { pod, used: 154 * MI, containers }),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi. ' +
      'Container main was using 150Mi, request is 100Mi, has larger consumption of memory. ' +
      'Container free was using 3Mi, request is 0, has larger consumption of memory. ',
  )
})

test('evictionMessage speaks of the pod where it asks as a whole, and of numbers where they are no bytes', () => {
  const pod: Pod = {
    metadata: { name: 'web' },
    spec: { resources: { requests: { memory: '1Mi' } }, containers: [{ name: 'main' }] },
  }
  const whole = { pod, used: 2 * MI, containers: new Map() }
  assert.equal(
    evictionMessage(memory!, { available: MI, capacity: 1024 * MI }, whole),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 1Mi. ' +
      'Pod web was using 2Mi, request is 1Mi, has larger consumption of memory. ',
  )
  assert.equal(
    evictionMessage(pids!, { available: 7, capacity: 32768 }, whole),
    'The node was low on resource: pids. Threshold quantity: 100, available: 7. ',
  )
})

for (const [signal, where, expected] of [
  ['nodefs.available', 'one disk', 10],
  ['imagefs.available', 'one disk', 10],
  ['nodefs.inodesFree', 'two disks', 7],
  ['imagefs.inodesFree', 'two disks', 3],
  ['nodefs.available', 'the other disk', 10],
  ['imagefs.available', 'the other disk', 0],
] as const)
  test(`usedOnDisk by ${signal} of a pod whose images lie on ${where} is ${expected}`, () => {
    assert.equal(usedOnDisk(signal, { total: 10, layers: 3 }, where), expected)
  })
