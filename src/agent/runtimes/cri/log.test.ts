import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { realClock } from '../../../lib/clock.ts'
import { silent } from '../../../lib/log.ts'
import type { ReadDeps } from '../log-reading.ts'
import { olderFiles, rotateLog } from './log-files.ts'
import { parseLogLine } from './log-line.ts'
import { readLog } from './log-read.ts'

const folder = mkdtempSync(join(tmpdir(), 'cri-log-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const fresh = (text = '') => {
  const file = join(folder, `${++count}.log`)
  writeFileSync(file, text)
  return file
}
const at = (second: number, text: string, tag = 'F', stream = 'stdout') =>
  `2026-01-01T00:00:0${second}.123456789Z ${stream} ${tag} ${text}\n`

const ended: ReadDeps = {
  now: Date.parse('2026-01-01T00:00:10Z'),
  running: () => false,
  onEnd: () => () => {},
  signal: new AbortController().signal,
}
const read = async (file: string, options: object = {}, deps = ended) => {
  const chunks: Uint8Array[] = []
  for await (const chunk of readLog(file, { container: 'c', ...options }, deps)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('parseLogLine reads the four parts of a line', () => {
  for (const [line, expected] of [
    ['T stdout F text with spaces', ['T', 'stdout', false, 'text with spaces']],
    ['T stderr P part', ['T', 'stderr', true, 'part']],
    ['T stdout F ', ['T', 'stdout', false, '']],
    ['T stdout F', ['T', 'stdout', false, '']],
    ['T stdout P:more x', ['T', 'stdout', true, 'x']],
  ] as const) {
    const { time, stream, partial, text } = parseLogLine(Buffer.from(line))!
    assert.deepEqual([time, stream, partial, text.toString()], expected, line)
  }
  for (const line of ['', 'T', 'T stdout', 'T stdin F x'])
    assert.equal(parseLogLine(Buffer.from(line)), undefined, line)
})

test('readLog gives text as it was printed, and joins parts', async () => {
  const file = fresh(at(1, 'one') + at(2, 'two ', 'P') + at(3, 'and more') + at(4, 'err', 'F', 'stderr'))
  assert.equal(await read(file), 'one\ntwo and more\nerr\n')
})

test('readLog obeys its options', async () => {
  const file = fresh(at(1, 'one') + at(2, 'two') + at(3, 'three'))
  for (const [options, expected] of [
    [{ tailLines: 1 }, 'three\n'],
    [{ tailLines: 0 }, ''],
    [{ tailLines: 9 }, 'one\ntwo\nthree\n'],
    [{ limitBytes: 5 }, 'one\nt'],
    [{ timestamps: true, tailLines: 1 }, '2026-01-01T00:00:03.123456789Z three\n'],
    [{ sinceSeconds: 8 }, 'two\nthree\n'],
    [{ sinceTime: '2026-01-01T00:00:03Z' }, 'three\n'],
    [{ sinceTime: '2026-01-01T00:00:09Z' }, ''],
  ] as const)
    assert.equal(await read(file, options), expected, JSON.stringify(options))
})

test('readLog reads what was put aside first, and its tail reaches into it', async () => {
  const file = fresh(at(3, 'three'))
  writeFileSync(`${file}.20260101000001`, at(1, 'one'))
  writeFileSync(`${file}.20260101000002`, at(2, 'two'))
  assert.equal(await read(file), 'one\ntwo\nthree\n')
  assert.equal(await read(file, { tailLines: 2 }), 'two\nthree\n')
})

test('readLog follows what is written, past a rotation, until the container ends', async () => {
  const file = fresh(at(1, 'one'))
  let running = true
  const onEnd = new Set<() => void>()
  const deps: ReadDeps = {
    ...ended,
    running: () => running,
    onEnd(fn) {
      onEnd.add(fn)
      return () => onEnd.delete(fn)
    },
  }
  const steps = [
    () => appendFileSync(file, at(2, 'two')),
    () => {
      renameSync(file, `${file}.20260101000002`)
      writeFileSync(file, at(3, 'three'))
    },
    () => appendFileSync(file, at(4, 'cut').slice(0, -4)),
    () => appendFileSync(file, 'cut\n'),
  ]
  let text = ''
  let seen = 0
  for await (const chunk of readLog(file, { container: 'c', follow: true }, deps)) {
    text += Buffer.from(chunk)
    // Each step is taken when what the one before it wrote was seen.
    while (text.split('\n').length - 1 > seen && steps.length > 0) {
      seen++
      steps.shift()!()
    }
    if (text.includes('three') && steps.length > 0) for (const step of steps.splice(0)) step()
    if (text.includes('cut')) {
      running = false
      for (const fn of onEnd) fn()
    }
  }
  assert.equal(text, 'one\ntwo\nthree\ncut\n')
})

test('rotateLog puts a log aside that has grown too large', async () => {
  const file = fresh('x'.repeat(100))
  const reopened = Promise.withResolvers<void>()
  const end = rotateLog(file, {
    clock: realClock,
    logger: silent,
    maxBytes: 50,
    async reopen() {
      writeFileSync(file, '')
      reopened.resolve()
    },
  })
  await reopened.promise
  end()
  assert.equal(olderFiles(file).length, 1)
})
