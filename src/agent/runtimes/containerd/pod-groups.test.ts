import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { isBootedBySystemd } from '../../../lib/systemd.ts'
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

test('openPodGroups takes the shares of a pod that is gone from its class', options, async () => {
  const groups = openPodGroups(root, 'cgroupfs')
  await groups.make(noteOf('a'))
  const one = weightOf('kubepods/burstable')
  await groups.make(noteOf('b'))
  assert.ok(weightOf('kubepods/burstable') > one)
  await groups.remove(noteOf('b'))
  assert.equal(weightOf('kubepods/burstable'), one)
})

test('openPodGroups removes what a runtime has made in a hierarchy that we do not use', options, async () => {
  const groups = openPodGroups(root, 'cgroupfs')
  await groups.make(noteOf('c'))
  const other = existsSync('/sys/fs/cgroup/devices/cgroup.procs') ? '/sys/fs/cgroup/devices' : base
  const container = `${other}/${groups.parent(noteOf('c'))}/container`
  mkdirSync(container, { recursive: true })
  await groups.remove(noteOf('c'))
  assert.ok(!existsSync(`${other}/${groups.parent(noteOf('c'))}`))
})

const systemd = isBootedBySystemd() ? {} : { skip: 'systemd does not run this machine' }
test('openPodGroups asks systemd for slices with the limits of pods, and ends them', systemd, async () => {
  const mount = '/sys/fs/cgroup'
  const groups = openPodGroups(root, 'systemd')
  const unified = groups.version === 2
  const file = (uid: string, controller: string, name: string) => {
    const slice = groups.parent(noteOf(uid))
    const parts = slice.replace(/\.slice$/, '').split('-')
    const folders = parts.map((_, at) => `${parts.slice(0, at + 1).join('-')}.slice`).join('/')
    return `${unified ? mount : `${mount}/${controller}`}/${folders}/${name}`
  }
  const memory = (uid: string) => file(uid, 'memory', unified ? 'memory.max' : 'memory.limit_in_bytes')
  const limited = { ...noteOf('a-b'), resources: { cpuShares: 1024, memoryLimit: 64 << 20, pidsLimit: 100 } }
  await groups.make(limited)
  assert.equal(readFileSync(memory('a-b'), 'utf8').trim(), String(64 << 20))
  assert.equal(readFileSync(file('a-b', 'pids', 'pids.max'), 'utf8').trim(), '100')
  // A second try at the same pod finds what the first has made.
  await groups.make({ ...limited, resources: { memoryLimit: 32 << 20 } })
  assert.equal(readFileSync(memory('a-b'), 'utf8').trim(), String(32 << 20))
  await groups.update(limited, { memoryLimit: -1 })
  assert.equal(readFileSync(memory('a-b'), 'utf8').trim(), unified ? 'max' : '9223372036854771712')
  await groups.remove(limited)
  await groups.removeAll()
  assert.ok(!existsSync(memory('a-b')))
})
