import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import type { Disk } from '../node/usage.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import { type StartPressureDeps, startPressure } from './start.ts'
import { readThresholds } from './thresholds.ts'

const disk = (availableBytes: number): Disk => ({
  capacityBytes: 1000,
  availableBytes,
  usedBytes: 0,
  inodes: 0,
  inodesFree: 0,
})
const [here, there] = ['here', 'there'].map(version => ({ version }) as RuntimeDriver) as [RuntimeDriver, RuntimeDriver]

/** Of which runtimes images are removed on a machine that has so much left on its disks. */
async function prunedOn(available: number, imagesAvailable?: number): Promise<string[]> {
  const clock = virtualClock()
  const pruned: string[] = []
  const deps: Partial<StartPressureDeps> = {
    clock,
    logger: silent,
    machine: {
      info: {},
      capacity: {},
      usage: () => ({
        cpuNanoSeconds: 0,
        memoryTotal: 0,
        memoryAvailable: 0,
        disk: disk(available),
        ...(imagesAvailable !== undefined && { imageDisk: disk(imagesAvailable) }),
        processes: 0,
        maxProcesses: 0,
      }),
    } as unknown as StartPressureDeps['machine'],
    settings: { thresholds: readThresholds(), transitionMs: 0, longestGraceMs: 0 },
    images: {
      async prune(of = () => true) {
        pruned.push(...[here, there].filter(of).map(({ version }) => version))
        return []
      },
    },
    imageDisk:
      imagesAvailable === undefined
        ? undefined
        : { read: () => disk(imagesAvailable), isOf: driver => driver === there },
    events: { event() {} } as unknown as EventRecorder,
    workers: () => [],
  }
  startPressure(deps as StartPressureDeps, new AbortController().signal)!.look()
  await clock.advance(0)
  return pruned
}

for (const [what, disks, expected] of [
  ['of all runtimes where there is one disk', [10], ['here', 'there']],
  ['of those that lie on the disk of images', [900, 10], ['there']],
  ["of those that lie on the node's own", [10, 900], ['here']],
] as const)
  test(`startPressure removes images ${what}`, async () => {
    assert.deepEqual(await prunedOn(...(disks as readonly [number, number?])), expected)
  })
