import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { availableMemory, busyTime, machineUsage } from './usage.ts'

test('busyTime counts what is neither idle nor waiting', () => {
  assert.equal(busyTime('cpu  100 10 50 9000 77 5 3 2 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n'), 170 * 10_000_000)
  assert.equal(busyTime(''), 0)
})

test('availableMemory reads what can be had', () => {
  assert.equal(availableMemory('MemTotal:       100 kB\nMemFree:  1 kB\nMemAvailable:     42 kB\n'), 42 * 1024)
  assert.equal(availableMemory('MemTotal: 100 kB\n'), undefined)
})

test('machineUsage tells of this machine', () => {
  const { memoryAvailable, memoryTotal, disk } = machineUsage(tmpdir())
  assert.ok(memoryAvailable > 0 && memoryAvailable <= memoryTotal)
  assert.ok(disk && disk.availableBytes <= disk.capacityBytes)
  assert.equal(machineUsage('/nowhere/at/all').disk, undefined)
})
