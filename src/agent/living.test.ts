import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { realClock } from '../lib/clock.ts'
import { eventually } from '../lib/eventually.fixture.ts'
import { silent } from '../lib/log.ts'
import { hasLivingPods } from './living.ts'
import { plainContainer, plainSandbox } from './runtimes/configs.fixture.ts'
import { openProcessDriver } from './runtimes/process/driver.ts'

test('hasLivingPods is so while a process of a pod runs, whether its runtime is open or not', async t => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-living-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const podsDirectory = join(root, 'pods')
  assert.equal(hasLivingPods(podsDirectory), false)
  const cgroupRoot = `tutti-test-${process.pid}-living`
  const open = () => openProcessDriver({ podsDirectory, cgroupRoot, clock: realClock, logger: silent })
  const driver = await open()
  const uid = '20000000-0000-4000-8000-000000000001'
  const directory = join(podsDirectory, uid)
  mkdirSync(directory, { recursive: true })
  const sandbox = await driver.runSandbox(plainSandbox(uid, directory))
  assert.equal(hasLivingPods(podsDirectory), false)
  const id = await driver.createContainer(sandbox, plainContainer('host', { command: ['sleep', '1000'] }))
  await driver.startContainer(id)
  await driver.close()
  const again = await open()
  try {
    assert.equal(hasLivingPods(podsDirectory), true)
    await again.stopContainer(id, 0)
    await eventually(() => !hasLivingPods(podsDirectory))
  } finally {
    await again.removeSandbox(sandbox)
    await again.close()
  }
})
