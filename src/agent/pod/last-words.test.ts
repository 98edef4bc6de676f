import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus as Instance, RuntimeDriver } from '../runtimes/runtime.ts'
import { createLastWords } from './last-words.ts'

const failed = { id: 'c1', name: 'main', state: 'exited', exitCode: 1 } as Instance
const wants = { name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' } as const

function driverWith(read: () => AsyncIterable<Uint8Array>) {
  let reads = 0
  const logs = async () => {
    reads++
    return read()
  }
  return { driver: { logs } as unknown as RuntimeDriver, reads: () => reads }
}

test('createLastWords takes the end of the log where nothing else tells why, and reads it once', async () => {
  const { driver, reads } = driverWith(async function* () {
    yield Buffer.from('no ')
    yield Buffer.from('disk')
  })
  const lastWords = createLastWords()
  assert.equal((await lastWords(failed, wants, driver)).message, 'no disk')
  assert.equal((await lastWords(failed, wants, driver)).message, 'no disk')
  assert.equal(reads(), 1)
  const plain: [Instance, object][] = [
    [failed, { name: 'main' }],
    [{ ...failed, id: 'c2', exitCode: 0 }, wants],
    [{ ...failed, id: 'c3', message: 'own' }, wants],
    [{ ...failed, id: 'c4', state: 'running' }, wants],
  ]
  for (const [instance, spec] of plain) assert.equal(await lastWords(instance, spec as typeof wants, driver), instance)
  assert.equal(reads(), 1)
})

test('createLastWords gives an empty message where the log cannot be read', async () => {
  const { driver } = driverWith(() => {
    throw new Error('gone')
  })
  assert.equal((await createLastWords()(failed, wants, driver)).message, '')
})
