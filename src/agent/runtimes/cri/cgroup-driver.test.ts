import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driverShown } from './cgroup-driver.ts'

const config = (defaultRuntimeName: string, options?: object) => ({
  config: JSON.stringify({ containerd: { defaultRuntimeName, runtimes: { runc: { ...(options && { options }) } } } }),
})

for (const [what, info, expected] of [
  ['systemd where the default runtime says so', config('runc', { SystemdCgroup: true }), 'systemd'],
  ['cgroupfs where it says no', config('runc', { SystemdCgroup: false }), 'cgroupfs'],
  ['cgroupfs where it says nothing', config('runc'), 'cgroupfs'],
  ['nothing of a runtime that is not there', config('kata'), undefined],
  ['nothing of one that shows nothing', {}, undefined],
  ['nothing of another program', { config: '{}' }, undefined],
] as const)
  test(`driverShown finds ${what}`, () => {
    assert.equal(driverShown(info), expected)
  })
