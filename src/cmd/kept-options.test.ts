import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keepOptions, withKept } from './kept-options.ts'

test('keepOptions and withKept: a start that says nothing is as the last one, and what changes is told', t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-kept-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const up = (said: object = {}) => {
    const { port, network } = withKept({ dataDir, runtime: 'auto', nodes: 1, ...said })
    return { port, network, notes: keepOptions(dataDir, { port, network }) }
  }
  assert.deepEqual(up(), { port: 6443, network: 'auto', notes: [] })
  const changed = up({ port: 7443, network: 'portable' })
  assert.match(
    changed.notes.join(),
    /port was 6443 before and is 7443 now.*network was auto before and is portable now/,
  )
  assert.deepEqual(up(), { port: 7443, network: 'portable', notes: [] })
  assert.deepEqual(up({ network: 'auto' }).network, 'auto')
  assert.equal(up().port, 7443)
})
