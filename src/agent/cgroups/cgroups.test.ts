import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import type { Machine } from '../node/machine.ts'
import { openCgroups } from './cgroups.ts'
import { enforceAllocatable } from './node-allocatable.ts'
import { podGroup } from './pod-group.ts'

const root = `tutti-test-groups-${process.pid}`
const cgroups = process.platform === 'linux' ? openCgroups(root) : undefined
const options = cgroups ? {} : { skip: 'control groups may not be written here' }
after(() => cgroups?.remove(''))

const shares = (path: string): number => {
  const v1 = `/sys/fs/cgroup/cpu/${root}/${path}/cpu.shares`
  if (existsSync(v1)) return Number(readFileSync(v1, 'utf8'))
  const weight = Number(readFileSync(`/sys/fs/cgroup/${root}/${path}/cpu.weight`, 'utf8'))
  return Math.ceil(((weight - 1) * 262142) / 9999 + 2)
}

test('openCgroups gives a class of pods the shares of its pods together', options, () => {
  const near = (path: string, expected: number) => {
    const found = shares(path)
    // v2 has a coarser scale.
    assert.ok(Math.abs(found - expected) <= 60, `${path}: ${found}, not ${expected}`)
  }
  cgroups!.create(podGroup('Guaranteed', 'a'), { cpuShares: 1024 })
  cgroups!.create(podGroup('Burstable', 'b'), { cpuShares: 512 })
  near('kubepods/burstable', 512)
  cgroups!.create(podGroup('Burstable', 'c'), { cpuShares: 2048 })
  cgroups!.create(podGroup('BestEffort', 'd'), { cpuShares: 2 })
  near('kubepods/burstable', 2560)
  near('kubepods/besteffort', 2)
  cgroups!.update(podGroup('Burstable', 'c'), { cpuShares: 1024 })
  near('kubepods/burstable', 1536)
  cgroups!.remove(podGroup('Burstable', 'b'))
  near('kubepods/burstable', 1024)
  cgroups!.remove(podGroup('Burstable', 'c'))
  near('kubepods/burstable', 2)
})

test('enforceAllocatable limits what all pods have together, as long as something is reserved', options, () => {
  const own = `tutti-test-allocatable-${process.pid}`
  const groups = openCgroups(own)!
  const capacity = { memory: '8Gi' }
  const limit = (allocatable?: Record<string, string>) => {
    enforceAllocatable(own, { capacity, ...(allocatable && { allocatable }), info: {} as Machine['info'] })
    return groups.limits('kubepods').memoryLimit
  }
  assert.deepEqual([limit(), limit({ memory: '6Gi' }), limit({ memory: '8Gi' })], [undefined, 6 * 1024 ** 3, undefined])
  groups.create(podGroup('Burstable', 'a'), { cpuShares: 2 })
  limit({ memory: '6Gi' })
  assert.equal(groups.remove(''), true)
})

test('remove takes what nodes of a machine share with the last of them', options, () => {
  const shared = `tutti-test-shared-${process.pid}`
  const [one, other] = ['one', 'other'].map(name => openCgroups(`${shared}/${name}`)!)
  const stands = () => [`/sys/fs/cgroup/pids/${shared}`, `/sys/fs/cgroup/${shared}`].some(existsSync)
  one!.create(podGroup('Guaranteed', 'a'), {})
  one!.remove('')
  assert.equal(stands(), true)
  other!.remove('')
  assert.equal(stands(), false)
})
