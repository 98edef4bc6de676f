import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { processStartTime } from './process-start.ts'

test('processStartTime is the same each time, later for a younger process, and nothing for one that is gone', async () => {
  const own = processStartTime(process.pid)
  assert.equal(processStartTime(process.pid), own)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const childs = processStartTime(pid)
  if (own === '') assert.equal(childs, '', 'this system does not tell')
  else assert.ok(Number(childs) > Number(own), `${childs} > ${own}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(processStartTime(pid), undefined)
})
