import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readInside, valueIn } from './env-file.ts'

const TEXT = `
# a comment
A='one'
  B='two # three' # a comment
LINES='first
second'
EMPTY=''
SPACED= 'lost'
LAST='end'`

const values: [string, string][] = [
  ['A', 'one'],
  ['B', 'two # three'],
  ['LINES', 'first\nsecond'],
  ['EMPTY', ''],
  ['SPACED', ''],
  ['LAST', 'end'],
  ['NONE', ''],
]
for (const [key, expected] of values) {
  test(`valueIn finds ${JSON.stringify(expected)} for ${key}`, () => assert.equal(valueIn(TEXT, key), expected))
}

const wrong: [string, RegExp][] = [
  ['A', /line 1: missing '='/],
  ["\n='x'", /line 2: empty variable name/],
  ["A ='x'", /line 1: whitespace before '=' is not allowed/],
  ['A=x', /line 1: value must be enclosed in single quotes/],
  ["A='x'y", /line 1: unexpected content after closing quote/],
  ["B='1'\nA='x\ny", /starting at line 2: unclosed single quote/],
]
for (const [text, message] of wrong) {
  test(`valueIn refuses ${JSON.stringify(text)}`, () => assert.throws(() => valueIn(text, 'Z'), message))
}

test('readInside reads files of the volume, and none outside', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-env-'))
  writeFileSync(join(directory, 'file'), 'text')
  symlinkSync('/etc/hostname', join(directory, 'link'))
  symlinkSync('file', join(directory, 'own'))
  assert.equal(readInside(directory, 'file'), 'text')
  assert.equal(readInside(directory, 'own'), 'text')
  assert.throws(() => readInside(directory, 'link'), /leads out of the volume/)
  assert.throws(() => readInside(directory, 'missing'), /ENOENT/)
  rmSync(directory, { recursive: true })
})
