import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MachineUsage } from '../node/usage.ts'
import { createJudge, observe } from './judge.ts'
import { readThresholds, type ThresholdFields } from './thresholds.ts'

const MI = 1024 * 1024
const usage = (more: Partial<MachineUsage> = {}): MachineUsage => ({
  cpuNanoSeconds: 0,
  memoryTotal: 1000 * MI,
  memoryAvailable: 500 * MI,
  disk: { capacityBytes: 1000, availableBytes: 500, usedBytes: 500, inodes: 100, inodesFree: 50 },
  processes: 10,
  maxProcesses: 100,
  ...more,
})
const disk = (availableBytes: number) => usage({ disk: { ...usage().disk!, availableBytes } })
const memory = (mebibytes: number) => usage({ memoryAvailable: mebibytes * MI })

const KUBELET = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'imagefs.available': '15%',
  'nodefs.inodesFree': '5%',
}

const start = (fields: ThresholdFields = { evictionHard: KUBELET }, transitionMs = 0) => {
  const judge = createJudge({ thresholds: readThresholds(fields), transitionMs })
  return (seen: MachineUsage, now: number) => {
    const { conditions, due } = judge(observe(seen), now)
    return [[...conditions].join(), due.map(({ signal }) => signal).join()]
  }
}

test('createJudge finds nothing wrong with a machine that has enough, or does not say', () => {
  const judge = start()
  assert.deepEqual(judge(usage(), 0), ['', ''])
  const silent = usage({ disk: undefined, maxProcesses: 0 })
  assert.deepEqual(judge(silent, 0), ['', ''])
  const unlimited = usage({ disk: { ...usage().disk!, inodes: 0, inodesFree: 0 } })
  assert.deepEqual(judge(unlimited, 0), ['', ''])
})

test('createJudge puts memory before the disk, and hard thresholds are due at once', () => {
  const judge = start()
  const seen = { ...disk(90), memoryAvailable: 99 * MI }
  assert.deepEqual(judge(seen, 0), [
    'MemoryPressure,DiskPressure',
    'memory.available,nodefs.available,imagefs.available',
  ])
  assert.deepEqual(judge(disk(149), 1), ['DiskPressure', 'imagefs.available'])
  assert.deepEqual(judge(disk(150), 2), ['', ''])
})

test('createJudge judges the disk of images by itself where there is one', () => {
  const judge = start()
  const imageDisk = { ...usage().disk!, availableBytes: 149 }
  assert.deepEqual(judge(usage({ imageDisk }), 0), ['DiskPressure', 'imagefs.available'])
  const full = { ...disk(99), imageDisk: { ...imageDisk, availableBytes: 500 } }
  assert.deepEqual(judge(full, 1), ['DiskPressure', 'nodefs.available'])
})

test('createJudge waits for the grace of a soft threshold, each time anew', () => {
  const judge = start({
    evictionHard: {},
    evictionSoft: { 'pid.available': '50' },
    evictionSoftGracePeriod: { 'pid.available': '30s' },
  })
  const many = usage({ processes: 51 })
  assert.deepEqual(judge(many, 0), ['PIDPressure', ''])
  assert.deepEqual(judge(many, 29_999), ['PIDPressure', ''])
  assert.deepEqual(judge(many, 30_000), ['PIDPressure', 'pid.available'])
  assert.deepEqual(judge(usage(), 31_000), ['', ''])
  assert.deepEqual(judge(many, 32_000), ['PIDPressure', ''])
})

test('createJudge keeps a condition for a while after the want, which is over at once', () => {
  const judge = start(undefined, 300_000)
  assert.deepEqual(judge(memory(50), 0), ['MemoryPressure', 'memory.available'])
  assert.deepEqual(judge(memory(500), 1), ['MemoryPressure', ''])
  assert.deepEqual(judge(memory(500), 299_999), ['MemoryPressure', ''])
  assert.deepEqual(judge(memory(500), 300_000), ['', ''])
})

test('createJudge holds a want until so much more is there as is to be reclaimed', () => {
  const judge = start({
    evictionHard: { 'memory.available': '100Mi' },
    evictionMinimumReclaim: { 'memory.available': '50Mi' },
  })
  assert.deepEqual(judge(memory(120), 0), ['', ''])
  assert.deepEqual(judge(memory(99), 1), ['MemoryPressure', 'memory.available'])
  assert.deepEqual(judge(memory(149), 2), ['MemoryPressure', 'memory.available'])
  assert.deepEqual(judge(memory(150), 3), ['', ''])
})
