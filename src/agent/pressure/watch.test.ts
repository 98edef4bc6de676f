import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { isOfImages, readThresholds, type ThresholdFields } from './thresholds.ts'
import type { Candidate } from './victims.ts'
import { createPressureWatch } from './watch.ts'

const MI = 1024 * 1024

const KUBELET = { 'memory.available': '100Mi', 'nodefs.available': '10%', 'imagefs.available': '15%' }

/** A machine of 1,000 Mi of memory and disk, and pods that use so much of both until they are evicted. */
function start(used: Record<string, number>, fields: ThresholdFields = { evictionHard: KUBELET }) {
  const clock = virtualClock()
  const running = new Map(Object.entries(used))
  const evicted: string[] = []
  const graces: number[] = []
  const told: string[] = []
  const dying = new Set<string>()
  const machine = { memory: 1000, disk: 1000, garbage: 0, stubborn: false, looks: 0, rooms: 0, imageGarbage: 0 }
  const candidateOf = (name: string): Candidate => ({
    pod: { metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'main' }] } } as Pod,
    used: running.get(name),
    containers: new Map(),
  })
  const sum = () => [...running.values()].reduce((total, each) => total + each, 0)
  const watch = createPressureWatch({
    clock,
    logger: silent,
    settings: { thresholds: readThresholds(fields), transitionMs: 300_000, longestGraceMs: 20_000 },
    usage() {
      machine.looks++
      const available = (machine.disk - sum() - machine.garbage) * MI
      return {
        cpuNanoSeconds: 0,
        memoryTotal: 1000 * MI,
        memoryAvailable: (machine.memory - sum()) * MI,
        disk: { capacityBytes: 1000 * MI, availableBytes: available, usedBytes: 0, inodes: 0, inodesFree: 0 },
        ...(machine.imageGarbage > 0 && {
          imageDisk: {
            capacityBytes: 1000 * MI,
            availableBytes: (1000 - machine.imageGarbage) * MI,
            usedBytes: 0,
            inodes: 0,
            inodesFree: 0,
          },
        }),
        processes: 0,
        maxProcesses: 0,
      }
    },
    candidates: async () => [...running.keys()].filter(name => !evicted.includes(name)).map(candidateOf),
    diskOf: ({ signal }) => (machine.imageGarbage > 0 && isOfImages(signal) ? 'images' : 'own'),
    async makeRoom({ signal }) {
      machine.rooms++
      if (isOfImages(signal) && machine.imageGarbage > 0) machine.imageGarbage = 100
      else machine.garbage = 0
    },
    evict({ pod }, _refusal, graceMs) {
      const name = pod.metadata!.name!
      evicted.push(name)
      graces.push(graceMs)
      if (machine.stubborn) dying.add(name)
      else running.delete(name)
    },
    hasEnded: ({ pod }) => !dying.has(pod.metadata!.name!),
    reclaiming: resource => void told.push(resource),
  })
  return {
    clock,
    watch,
    machine,
    evicted,
    graces,
    told,
    running,
    dying,
    conditions: () => [...watch.conditions()].join(),
  }
}

test('createPressureWatch looks at a machine that has enough when it is asked to, and has no timer', async () => {
  const { clock, watch, machine, conditions } = start({ a: 100 })
  watch.look()
  assert.deepEqual([conditions(), clock.nextDue(), machine.looks], ['', undefined, 1])
})

test('createPressureWatch evicts one pod after the other until there is enough, and says so', async () => {
  const { clock, watch, evicted, graces, told, conditions } = start({ a: 100, b: 300, c: 250, d: 300 })
  let changes = 0
  watch.onChange(() => changes++)
  watch.look()
  assert.equal(conditions(), 'MemoryPressure,DiskPressure')
  await clock.advance(5_000)
  assert.deepEqual(evicted, ['b'])
  assert.deepEqual([told, graces, changes], [['memory'], [1000], 1])
  assert.equal(clock.nextDue(), undefined)
  watch.look()
  assert.equal(conditions(), 'MemoryPressure,DiskPressure')
  await clock.advance(300_000)
  watch.look()
  assert.deepEqual([conditions(), changes], ['', 2])
})

test('createPressureWatch waits for a pod that takes its time, but not for ever', async () => {
  const { clock, watch, machine, evicted, dying } = start({ a: 500, b: 480 })
  machine.stubborn = true
  watch.look()
  await clock.advance(29_000)
  assert.deepEqual(evicted, ['a'])
  await clock.advance(3_000)
  assert.deepEqual(evicted, ['a', 'b'])
  dying.clear()
})

test('createPressureWatch takes no other pod until what the last one had is given back', async () => {
  const { clock, watch, machine, evicted, dying, running } = start({ a: 500, b: 480 })
  machine.stubborn = true
  watch.look()
  await clock.advance(2_500)
  dying.delete('a')
  await clock.advance(1_400)
  running.delete('a')
  await clock.advance(10_000)
  assert.deepEqual(evicted, ['a'])
})

test('createPressureWatch frees the disk before it evicts', async () => {
  const { clock, watch, machine, evicted, told } = start({ a: 100 })
  machine.garbage = 800
  watch.look()
  await clock.advance(2_000)
  assert.deepEqual([evicted, machine.rooms, told], [[], 1, ['ephemeral-storage']])
  machine.disk = 120
  watch.look()
  await clock.advance(2_000)
  assert.deepEqual([evicted, machine.rooms], [['a'], 1])
})

test('createPressureWatch frees the disk of images when nothing can be done for the other one', async () => {
  const { clock, watch, machine, evicted } = start({})
  machine.disk = 10
  machine.imageGarbage = 900
  watch.look()
  await clock.advance(2_000)
  assert.deepEqual([machine.rooms, machine.imageGarbage, evicted], [2, 100, []])
})

test('createPressureWatch evicts nobody for a disk that has room again, whatever else runs short', async () => {
  const { clock, watch, machine, evicted } = start({ a: 100 })
  machine.garbage = 850
  machine.imageGarbage = 900
  watch.look()
  await clock.advance(3_000)
  assert.deepEqual([machine.rooms, machine.garbage, machine.imageGarbage, evicted], [2, 0, 100, []])
})

test('createPressureWatch leaves a node in peace on which nobody could go', async () => {
  const { clock, watch, machine } = start({})
  machine.memory = 10
  watch.look()
  await clock.advance(60_000)
  assert.equal(clock.nextDue(), undefined)
  assert.equal(machine.looks, 1)
})

test('createPressureWatch gives pods their grace by soft thresholds', async () => {
  const { clock, watch, evicted, graces } = start(
    { a: 600 },
    {
      evictionHard: {},
      evictionSoft: { 'memory.available': '500Mi' },
      evictionSoftGracePeriod: { 'memory.available': '15s' },
    },
  )
  watch.look()
  await clock.advance(14_000)
  assert.deepEqual(evicted, [])
  await clock.advance(1_000)
  watch.look()
  await clock.advance(0)
  assert.deepEqual([evicted, graces], [['a'], [20_000]])
})

test('createPressureWatch looks anew for a pod that is to start, but not for each of many', async () => {
  const { clock, watch, machine, running } = start({})
  const pod: Pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main' }] } }
  for (let at = 0; at < 10; at++) assert.equal(watch.admit(pod), undefined)
  assert.equal(machine.looks, 1)
  await clock.advance(1_000)
  running.set('hog', 950)
  assert.match(watch.admit(pod)!.message, /^The node had condition: \[MemoryPressure DiskPressure\]\. $/)
})

test('createPressureWatch does nothing any more when it is closed', async () => {
  const { clock, watch, evicted, machine } = start({ a: 950, b: 40 })
  machine.stubborn = true
  watch.look()
  await clock.advance(0)
  watch.close()
  await clock.advance(60_000)
  assert.deepEqual(evicted, ['a'])
  assert.equal(clock.nextDue(), undefined)
})
