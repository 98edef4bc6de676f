import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Point, Sample } from './sample.ts'
import { usageBetween } from './usage.ts'

const T = 1_767_225_600_000
const point = (time: number, cpu: number, startedAt = T - 100_000): Point => ({
  time: T + time,
  cpu,
  memory: 5 * 1024 * 1024,
  startedAt,
})
const sample = (node: Point | undefined, containers: Record<string, Point> = {}): Sample => ({
  node,
  pods: new Map(Object.keys(containers).length ? [['shop/web', new Map(Object.entries(containers))]] : []),
})
const web = (from: Record<string, Point>, to: Record<string, Point>) =>
  usageBetween(sample(undefined, from), sample(undefined, to)).pods.get('shop/web')

test('usageBetween tells the rate of a node, by the clock of that node', () => {
  const { node } = usageBetween(sample(point(0, 10, 0)), sample(point(20_000, 15, 0)))
  assert.deepEqual(node, { timestamp: T + 20_000, window: 20_000, resources: { cpu: '250m', memory: '5Mi' } })
})

for (const [what, from, to] of [
  ['the node said nothing before', undefined, point(20_000, 15)],
  ['the node says nothing now', point(0, 10), undefined],
  ['its counter went back, as after a restart of the machine', point(0, 10), point(20_000, 5)],
  ['its clock went back', point(20_000, 10), point(0, 15)],
  ['no time passed', point(0, 10), point(0, 10)],
] as const)
  test(`usageBetween tells nothing of a node where ${what}`, () => {
    assert.equal(usageBetween(sample(from), sample(to)).node, undefined)
  })

test('usageBetween tells of containers in billionths, with the earliest of their times', () => {
  const found = web(
    { main: point(0, 1), side: point(5, 0) },
    { main: point(10_000, 1.000_012_345), side: point(9_000, 0) },
  )
  assert.deepEqual(found, {
    timestamp: T + 9_000,
    window: 8_995,
    containers: [
      { name: 'main', usage: { cpu: '1235n', memory: '5Mi' } },
      { name: 'side', usage: { cpu: '0', memory: '5Mi' } },
    ],
  })
})

test('usageBetween counts a container that began meanwhile from its beginning, once it is old enough', () => {
  const began = (age: number) => web({ main: point(0, 50) }, { main: point(30_000, 2, T + 30_000 - age) })
  assert.equal(began(9_999), undefined)
  assert.deepEqual(began(20_000)?.containers[0]?.usage.cpu, '100m')
  assert.equal(began(20_000)?.window, 20_000)
})

test('usageBetween leaves out a pod until all of its containers can be told', () => {
  const found = web({ main: point(0, 1) }, { main: point(10_000, 2), fresh: point(10_000, 1, T + 9_000) })
  assert.equal(found, undefined)
})
