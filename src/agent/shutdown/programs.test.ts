import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { realClock } from '../../lib/clock.ts'
import { eventually } from '../../lib/eventually.fixture.ts'
import { silent } from '../../lib/log.ts'
import { processStartTime } from '../../lib/process-start.ts'
import { logindSource } from './logind.ts'
import { programsOf } from './programs.ts'

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tutti-programs-'))
})
after(() => rmSync(folder, { recursive: true }))

const programs = () => programsOf({ ...process.env, PATH: `${folder}:${process.env.PATH}` })
const script = (name: string, text: string) => {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(folder, name), 0o755)
}

test('programsOf tells of lines, and of an end that was wanted', async () => {
  const lines: string[] = []
  const { promise: two, resolve } = Promise.withResolvers<void>()
  const running = programs().start('sh', ['-c', 'echo one; echo two; cat'], line => {
    if (lines.push(line) === 2) resolve()
  })
  await two
  running.end()
  await running.ended
  assert.deepEqual(lines, ['one', 'two'])
})

test('programsOf says what a program complained of that ended by itself, or was not found', async () => {
  await assert.rejects(programs().start('sh', ['-c', 'exit 3'], () => {}).ended, /^Error: sh ended \(3\)/)
  await assert.rejects(programs().start('no-such-program', [], () => {}).ended, /ENOENT/)
  await assert.rejects(programs().run('sh', ['-c', 'echo bad >&2; exit 1']), /bad/)
  assert.equal(await programs().run('sh', ['-c', 'echo good']), 'good\n')
})

test('logindSource speaks by programs that end with it', async () => {
  const file = (name: string) => join(folder, name)
  const pid = (name: string) => Number(readFileSync(file(name), 'utf8'))
  script(
    'busctl',
    `if [ "$1" = monitor ]; then
  until [ -e "${file('go')}" ]; do sleep 0.01; done
  echo '{"member":"PrepareForShutdown","payload":{"type":"b","data":[true]}}'
  echo $$ > "${file('monitor')}"; exec sleep 1000
fi
case "$*" in *InhibitDelayMaxUSec) echo "t 5000000";; *) echo "b false";; esac`,
  )
  script(
    'systemd-inhibit',
    `for each; do case "$each" in --*) shift;; esac; done
echo $$ > "${file('lock.new')}"; mv "${file('lock.new')}" "${file('lock')}"; "$@"`,
  )
  const scope = new AbortController()
  const { promise: began, resolve } = Promise.withResolvers<void>()
  const done = Promise.withResolvers<void>()
  const source = logindSource({
    programs: programs(),
    delayMs: 1000,
    allowDelay: () => Promise.reject(new Error('it waits long enough')),
    clock: realClock,
    logger: silent,
  })
  const begins = () => {
    resolve()
    return done.promise
  }
  source.follow({ begins, cancelled() {} }, scope.signal)
  await eventually(() => existsSync(file('lock')))
  writeFileSync(file('go'), '')
  await began
  const lock = pid('lock')
  assert.notEqual(processStartTime(lock), undefined, 'the lock is held')
  done.resolve()
  await eventually(() => processStartTime(lock) === undefined)
  await eventually(() => existsSync(file('monitor')) && readFileSync(file('monitor'), 'utf8') !== '')
  scope.abort()
  await eventually(() => processStartTime(pid('monitor')) === undefined)
})
