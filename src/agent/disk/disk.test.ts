import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Container, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type DiskUsage, excess, isLimited } from './limits.ts'
import { diskBytes } from './measure.ts'
import { createDiskWatch } from './watch.ts'

const container = (name: string, limit?: string): Container => ({
  name,
  ...(limit && { resources: { limits: { 'ephemeral-storage': limit } } }),
})
const podOf = (containers: Container[], volumes: Volume[] = [], more: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'p', uid: 'u' },
  spec: { containers, volumes, ...more },
})
const usage = (volumes: Record<string, number>, containers: Record<string, number> = {}): DiskUsage => ({
  volumes: new Map(Object.entries(volumes)),
  containers: new Map(Object.entries(containers)),
  total: [...Object.values(volumes), ...Object.values(containers)].reduce((sum, each) => sum + each, 0),
  layers: 0,
})

for (const [what, pod, used, expected] of [
  [
    'an emptyDir',
    podOf([container('c')], [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }]),
    usage({ v: 1025 }),
    'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
  ],
  [
    'all of a pod',
    podOf([container('a', '1Ki'), container('b')], [{ name: 'v', emptyDir: {} }]),
    usage({ v: 1000 }, { b: 25 }),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ',
  ],
  [
    'one container',
    podOf([container('a', '1Ki'), container('b', '2Ki')]),
    usage({}, { a: 1025, b: 1 }),
    'Container a exceeded its local ephemeral storage limit "1Ki". ',
  ],
  ['what is within its limit', podOf([container('a', '1Ki')]), usage({}, { a: 1024 }), undefined],
  [
    'memory',
    podOf([container('a')], [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Ki' } }]),
    usage({ v: 5000 }),
    undefined,
  ],
] as const) {
  test(`excess of ${what} is ${expected ? 'told as the kubelet tells it' : 'none'}`, () => {
    assert.equal(excess(pod, used), expected)
  })
}

test('isLimited leaves pods without limits and critical ones alone', () => {
  assert.ok(isLimited(podOf([container('a', '1Ki')])))
  assert.ok(!isLimited(podOf([container('a')])))
  assert.ok(!isLimited(podOf([container('a', '1Ki')], [], { priority: 2_000_000_000 })))
})

test('diskBytes counts blocks, files of two names once, and follows no link', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-disk-'))
  try {
    const empty = join(root, 'empty')
    const full = join(root, 'full')
    for (const folder of [empty, full]) mkdirSync(folder)
    const before = await diskBytes(full)
    writeFileSync(join(full, 'a'), Buffer.alloc(100_000, 1))
    linkSync(join(full, 'a'), join(full, 'b'))
    symlinkSync('/', join(full, 'c'))
    const grown = (await diskBytes(full)) - before
    assert.ok(grown >= 100_000 && grown < 150_000, `${grown}`)
    assert.equal(await diskBytes(join(root, 'none')), 0)
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('createDiskWatch measures when the disk fills, seldom otherwise, and tells what is beyond its limit', async () => {
  const clock = virtualClock()
  const pod = podOf([container('a', '1Ki')])
  let disk = 1_000_000
  let bytes = 24
  let measured = 0
  const told: string[] = []
  const watch = createDiskWatch({
    clock,
    used: () => disk,
    measure: async () => {
      measured++
      return usage({}, { a: bytes })
    },
    exceeded: (_, message) => told.push(message),
  })
  watch.follow(podOf([container('a')]))
  await clock.advance(3_600_000)
  assert.equal(measured, 0, 'a pod without limits is not looked at')
  watch.follow(pod)
  await clock.advance(10_000)
  assert.equal(measured, 1)
  await clock.advance(3_600_000)
  assert.ok(measured < 15, `${measured} times in an hour`)
  const before = measured
  disk += 999
  await clock.advance(10_000)
  assert.ok(measured - before <= 1, 'not enough was written to matter')
  disk += 5000
  bytes = 2000
  await clock.advance(20_000)
  assert.deepEqual(told, ['Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. '])
  const last = measured
  await clock.advance(3_600_000)
  assert.equal(measured, last, 'once told, it is let be')
  watch.close()
})
