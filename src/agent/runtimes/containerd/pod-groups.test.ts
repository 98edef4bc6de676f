import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { openCgroups } from '../../cgroups/cgroups.ts'
import type { SandboxNote } from '../cri/config.ts'
import { openPodGroups } from './pod-groups.ts'

const root = `tutti-test-pod-groups-${process.pid}`
const cgroups = process.platform === 'linux' ? openCgroups(root) : undefined
const options = cgroups ? {} : { skip: 'control groups may not be written here' }
after(() => cgroups?.remove(''))

const base = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu'
const noteOf = (uid: string) => ({ uid, qosClass: 'Burstable', resources: { cpuShares: 1024 } }) as SandboxNote
const weightOf = (group: string) => {
  const file = `${base}/${root}/${group}/cpu.${base.endsWith('cpu') ? 'shares' : 'weight'}`
  return Number(readFileSync(file, 'utf8'))
}

test('openPodGroups takes the shares of a pod that is gone from its class', options, () => {
  const groups = openPodGroups(root, 'cgroupfs')
  groups.make(noteOf('a'))
  const one = weightOf('kubepods/burstable')
  groups.make(noteOf('b'))
  assert.ok(weightOf('kubepods/burstable') > one)
  groups.remove(noteOf('b'))
  assert.equal(weightOf('kubepods/burstable'), one)
})

test('openPodGroups removes what a runtime has made in a hierarchy that we do not use', options, () => {
  const groups = openPodGroups(root, 'cgroupfs')
  groups.make(noteOf('c'))
  const other = existsSync('/sys/fs/cgroup/devices/cgroup.procs') ? '/sys/fs/cgroup/devices' : base
  const container = `${other}/${groups.parent(noteOf('c'))}/container`
  mkdirSync(container, { recursive: true })
  groups.remove(noteOf('c'))
  assert.ok(!existsSync(`${other}/${groups.parent(noteOf('c'))}`))
})
