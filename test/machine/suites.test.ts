/** Test files of the repository, run on a machine that systemd runs, with cgroup v2. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Machine, machineMissing, startMachine } from './machine.ts'

const SUITES = [
  'src/agent/cgroups/cgroups.test.ts',
  'src/agent/disk/project-quota.test.ts',
  'src/agent/runtimes/containerd/pod-groups.test.ts',
  'src/agent/runtimes/containerd/containerd.test.ts',
  'src/agent/runtimes/process/process.test.ts',
]
const TIMEOUT_MS = 1_800_000

describe('on cgroup v2 and systemd', { skip: machineMissing ?? false }, () => {
  let machine: Machine
  before(async () => {
    machine = await startMachine()
  })
  after(() => machine?.close())
  for (const suite of SUITES)
    it(`${suite} passes`, async () => {
      const command = `node_modules/.bin/node --disable-warning=ExperimentalWarning --test --test-reporter=tap ${suite}`
      const { stdout } = await machine.run(`cd /repository; TMPDIR=/var/tmp ${command}`, TIMEOUT_MS)
      const failed = stdout.split('\n').filter(line => /^\s*not ok/.test(line))
      assert.deepEqual(failed, [], stdout)
      assert.match(stdout, /^# pass [1-9]/m)
    })
})
