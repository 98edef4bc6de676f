import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, test } from 'node:test'
import type { Machine } from '../node/machine.ts'
import { openCgroups } from './cgroups.ts'
import { enforceAllocatable } from './node-allocatable.ts'
import { podGroup } from './pod-group.ts'

const root = `tutti-test-groups-${process.pid}`
const cgroups = process.platform === 'linux' ? openCgroups(root) : undefined
const options = cgroups ? {} : { skip: 'control groups may not be written here' }
after(() => cgroups?.remove(''))

test('openCgroups gives a class of pods the shares of its pods together', options, () => {
  const near = (path: string, expected: number) => {
    const found = cgroups!.shares(path)
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

test('enforceAllocatable limits what all pods have together, as long as something is reserved', options, async () => {
  const own = `tutti-test-allocatable-${process.pid}`
  const groups = openCgroups(own)!
  const capacity = { memory: '8Gi' }
  const limit = async (allocatable?: Record<string, string>) => {
    await enforceAllocatable(own, { capacity, ...(allocatable && { allocatable }), info: {} as Machine['info'] })
    return groups.limits('kubepods').memoryLimit
  }
  assert.equal(await limit(), undefined)
  assert.equal(await limit({ memory: '6Gi' }), 6 * 1024 ** 3)
  assert.equal(await limit({ memory: '8Gi' }), undefined)
  groups.create(podGroup('Burstable', 'a'), { cpuShares: 2 })
  await limit({ memory: '6Gi' })
  assert.equal(groups.remove(''), true)
})

test('remove takes what nodes of a machine share with the last of them', options, () => {
  const shared = `tutti-test-shared-${process.pid}`
  const [one, other] = ['one', 'other'].map(name => openCgroups(`${shared}/${name}`)!)
  const stands = () => existsSync(dirname(one!.base('pids')))
  one!.create(podGroup('Guaranteed', 'a'), {})
  one!.remove('')
  assert.equal(stands(), true)
  other!.remove('')
  assert.equal(stands(), false)
})

test('openCgroups bounds and counts what runs in a group', options, async t => {
  const [entry] = cgroups!.create(podGroup('Guaranteed', 'limited'), {
    memoryLimit: 64 << 20,
    pidsLimit: 50,
    cpuQuota: 50_000,
  })
  const { memoryLimit, cpuQuota } = cgroups!.limits(podGroup('Guaranteed', 'limited'))
  assert.deepEqual({ memoryLimit, cpuQuota }, { memoryLimit: 64 << 20, cpuQuota: 50_000 })
  const entries = cgroups!.entries(podGroup('Guaranteed', 'limited'))
  assert.ok(entries.includes(entry!))
  const join = entries.map(file => `echo 0 >${file}`).join(' && ')
  const child = spawn('sh', ['-c', `${join} && echo in; read _`], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.deepEqual(cgroups!.processes(podGroup('Guaranteed', 'limited')), [child.pid])
  assert.equal(cgroups!.usage(podGroup('Guaranteed', 'limited'))?.processes, 1)
  child.stdin.end()
  await once(child, 'exit')
  assert.equal(cgroups!.remove(podGroup('Guaranteed', 'limited')), true)
})
