import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../api/generated/types/core-v1.ts'
import { type Request, victimsFor } from './preemption.ts'

type Asked = Record<string, number>

const request: Request = (pod, resource) =>
  resource === 'pods' ? 1 : Number(pod.spec?.containers[0]?.resources?.requests?.[resource] ?? 0)

/** `limits`: it is Guaranteed. */
const pod = (name: string, asked: Asked = {}, more: { limits?: true; priority?: number } = {}): Pod => {
  const requests = Object.fromEntries(Object.entries(asked).map(([key, value]) => [key, String(value)]))
  return {
    metadata: { name },
    spec: {
      containers: [{ name: 'main', resources: { requests, ...(more.limits && { limits: requests }) } }],
      ...(more.priority !== undefined && { priority: more.priority }),
    },
  }
}
const CRITICAL = pod('critical', {}, { priority: 2_000_000_000 })
const guaranteed = (name: string, cpu: number) => pod(name, { cpu, memory: 1 }, { limits: true })

for (const [what, others, shortages, expected] of [
  [
    'takes the one that gives just enough',
    [pod('a', { cpu: 1 }), pod('b', { cpu: 3 }), pod('c', { cpu: 2 })],
    { cpu: 2 },
    ['c'],
  ],
  ['takes as many as it needs', [pod('a', { cpu: 1 }), pod('b', { cpu: 2 })], { cpu: 3 }, ['b', 'a']],
  [
    'counts each resource alike',
    [pod('a', { cpu: 2 }), pod('b', { cpu: 1, memory: 100 })],
    { cpu: 1, memory: 100 },
    ['b'],
  ],
  [
    'takes the lowest class that suffices',
    [guaranteed('g', 4), pod('a', { cpu: 2 }), pod('b', { cpu: 2 })],
    { cpu: 4 },
    ['a', 'b'],
  ],
  [
    'takes a Guaranteed one only for what others do not give',
    [guaranteed('g', 4), pod('a', { cpu: 1 })],
    { cpu: 3 },
    ['g'],
  ],
  ['takes pods that request nothing for their place', [pod('a', { cpu: 1 }), pod('none')], { pods: 1 }, ['none']],
  ['takes none where all of them would not suffice', [pod('a', { cpu: 1 })], { cpu: 2 }, undefined],
  ['spares critical ones', [pod('other', { cpu: 5 }, { priority: 2_000_000_000 })], { cpu: 1 }, undefined],
] as [string, Pod[], Asked, string[] | undefined][])
  test(`victimsFor ${what}`, () => {
    const missing = Object.entries(shortages).map(([resource, amount]) => ({ resource, missing: amount }))
    assert.deepEqual(
      victimsFor(CRITICAL, others, missing, request)?.map(each => each.metadata?.name),
      expected,
    )
  })
