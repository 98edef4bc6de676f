import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

test('passed.tsv names conformance tests, each once, in order', () => {
  const lines = readFileSync(join(import.meta.dirname, 'passed.tsv'), 'utf8')
    .trimEnd()
    .split('\n')
  assert.deepEqual(lines, [...new Set(lines)].sort())
  for (const line of lines) assert.match(line, /^\[sig-[a-z-]+\] .*\[Conformance\]$/)
})
