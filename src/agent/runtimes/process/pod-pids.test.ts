import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { eventually } from '../../../lib/eventually.fixture.ts'
import { mount, removeTree } from '../../../lib/mounts.ts'
import { processStartTime } from '../../../lib/process-start.ts'
import { findPlatform } from './platform.ts'
import { endFirstProcess, firstProcess, startFirstProcess } from './pod-pids.ts'

const platform = findPlatform({ cgroupRoot: `tutti-test-${process.pid}-pids` })
after(() => platform.cgroups?.remove(''))

test('startFirstProcess starts it where nothing may be executed', {
  skip: !platform.namespaces && 'namespaces may not be made here',
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-pids-'))
  await mount('-t', 'tmpfs', '-o', 'noexec', 'none', folder)
  t.after(() => {
    endFirstProcess(folder)
    return removeTree(folder)
  })
  await startFirstProcess(folder, platform)
  const program = () => readFileSync(`/proc/${firstProcess(folder)}/comm`, 'utf8')
  await eventually(() => assert.equal(program(), 'pause\n'))
})

test('startFirstProcess: what an earlier try left running is ended', {
  skip: !platform.namespaces && 'namespaces may not be made here',
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-pids-'))
  t.after(() => {
    endFirstProcess(folder)
    rmSync(folder, { recursive: true, force: true })
  })
  await startFirstProcess(folder, platform)
  const earlier = firstProcess(folder)!
  await startFirstProcess(folder, platform)
  const left = firstProcess(folder)!
  assert.notEqual(left, earlier)
  await eventually(() => assert.equal(processStartTime(earlier), undefined, `process ${earlier} still runs`))
})
