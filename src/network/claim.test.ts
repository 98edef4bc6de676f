import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { processStartTime } from '../lib/process-start.ts'
import { networkClaims } from './claim.ts'

const options = { skip: process.platform === 'linux' ? false : 'namespaces are Linux' }

function folders(t: TestContext) {
  const all = ['claim', 'a b', 'c'].map(name => mkdtempSync(join(tmpdir(), `tutti-${name}-`)))
  t.after(() => {
    for (const each of all) rmSync(each, { recursive: true, force: true })
  })
  return all as [string, string, string]
}
const none = () => false

test('networkClaims tell a second cluster who owns the namespace, until it gives it back or is gone', options, t => {
  const [folder, first, second] = folders(t)
  const claims = networkClaims(folder)
  assert.equal(claims.owner(second, none), undefined)
  claims.claim(first)
  assert.equal(claims.owner(first, none), undefined)
  assert.deepEqual(claims.owner(second, none), { dataDir: first, runs: true })
  claims.release(second)
  assert.deepEqual(claims.owner(second, none), { dataDir: first, runs: true })
  writeFileSync(join(folder, 'others'), '')
  claims.release(first)
  assert.equal(claims.owner(second, none), undefined)
  assert.deepEqual(readdirSync(folder), ['others'])
  rmSync(join(folder, 'others'))
  claims.claim(first)
  claims.release(first)
  assert.equal(existsSync(folder), false)
  claims.claim(first)
  rmSync(first, { recursive: true })
  assert.equal(claims.owner(second, none), undefined)
})

test('networkClaims: an owner whose program is gone has it while its workloads live', options, async t => {
  const [folder, first, second] = folders(t)
  const claims = networkClaims(folder)
  const program = spawn('sleep', ['1000'])
  await once(program, 'spawn')
  claims.claim(first)
  const file = join(folder, readdirSync(folder)[0]!)
  const own = `${process.pid} ${processStartTime(process.pid)}`
  assert.equal(readFileSync(file, 'utf8'), `${first}\n${own}\n`)
  writeFileSync(file, `${first}\n${program.pid} ${processStartTime(program.pid!)}\n`)
  const asked: string[] = []
  const lives = (answer: boolean) => (dataDir: string) => {
    asked.push(dataDir)
    return answer
  }
  assert.deepEqual(claims.owner(second, lives(false)), { dataDir: first, runs: true })
  assert.deepEqual(asked, [], 'nothing is looked for while the program runs')
  program.kill('SIGKILL')
  await once(program, 'exit')
  assert.deepEqual(claims.owner(second, lives(true)), { dataDir: first, runs: false })
  assert.deepEqual(asked, [first])
  assert.equal(claims.owner(second, lives(false)), undefined)
  // A later process was given the same pid.
  writeFileSync(file, `${first}\n${process.pid} 1\n`)
  assert.equal(claims.owner(second, lives(false)), undefined)
  // As earlier versions left it: nobody knows.
  writeFileSync(file, `${first}\n`)
  assert.deepEqual(claims.owner(second, lives(false)), { dataDir: first, runs: true })
  claims.claim(second)
  claims.release(first)
  assert.deepEqual(claims.owner(first, none), { dataDir: second, runs: true })
})
