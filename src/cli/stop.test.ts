import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { processStartTime } from '../lib/process-start.ts'
import { settled, virtualClock } from '../lib/virtual-clock.ts'
import type { Io } from './context.ts'
import { instanceFile } from './instance.ts'
import { lastingInstance } from './stop.ts'

/** A process that stands for a program, and a command on its data directory. */
async function makeWorld(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-stop-'))
  const program = spawn('sleep', ['1000'])
  await once(program, 'spawn')
  t.after(() => {
    program.kill('SIGKILL')
    rmSync(dataDir, { recursive: true })
  })
  const pid = program.pid!
  const tell = (more: object) =>
    writeFileSync(instanceFile(dataDir), JSON.stringify({ pid, startTime: processStartTime(pid), ...more }))
  const clock = virtualClock()
  const interrupt = new AbortController()
  const io = { tty: false } as Io
  const context = { io, dataDir, clock, signal: interrupt.signal, json: true }
  return { program, pid, tell, clock, context, interrupt }
}

test('lastingInstance takes a program that goes on as it is, and one that has ended for none', async t => {
  const { context, tell, pid } = await makeWorld(t)
  assert.equal(await lastingInstance(context), undefined)
  tell({})
  assert.equal((await lastingInstance(context))?.pid, pid)
  tell({ ended: true })
  assert.equal(await lastingInstance(context), undefined)
})

test('lastingInstance waits for the end of a program that was told to stop', async t => {
  const { context, tell, program, clock } = await makeWorld(t)
  tell({ ending: true })
  let isOver = false
  const found = lastingInstance(context).then(instance => {
    isOver = true
    return instance
  })
  await clock.advance(10_000, settled)
  assert.equal(isOver, false)
  program.kill('SIGKILL')
  await once(program, 'exit')
  await clock.advance(1000, settled)
  assert.equal(await found, undefined)
})

test('lastingInstance is interrupted, and says how to end a program that does not stop', async t => {
  const { context, tell, pid, interrupt } = await makeWorld(t)
  tell({ ending: true })
  const found = lastingInstance(context)
  interrupt.abort()
  await assert.rejects(found, {
    message: `the program (pid ${pid}) has not stopped yet`,
    hint: new RegExp(`kill -9 ${pid} `),
  })
})
