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
    const kept = withKept({ dataDir, ...said })
    return { port: kept.port, network: kept.network, notes: keepOptions(dataDir, kept) }
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

test('withKept: pods are run by what ran them before, until something else is asked for', t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-kept-'))
  t.after(() => rmSync(dataDir, { recursive: true }))
  const up = (said: object = {}) => {
    const kept = withKept({ dataDir, ...said })
    keepOptions(dataDir, kept)
    return [kept.runtime, kept.nodes, kept.runtimeEndpoint]
  }
  assert.deepEqual(up(), ['auto', 1, undefined])
  assert.deepEqual(up({ runtime: 'simulated', nodes: 5 }), ['simulated', 5, undefined])
  assert.deepEqual(up({ port: 7443 }), ['simulated', 5, undefined])
  assert.deepEqual(up({ nodes: 3 }), ['simulated', 3, undefined])
  assert.deepEqual(up({ runtime: 'process' }), ['process', 1, undefined])
  assert.deepEqual(up({ runtimeEndpoint: 'unix:///run/cri.sock' }), ['auto', 1, 'unix:///run/cri.sock'])
  assert.deepEqual(up(), ['auto', 1, 'unix:///run/cri.sock'])
  assert.deepEqual(up({ runtime: 'auto' }), ['auto', 1, undefined])
  for (const said of [{ nodes: 3 }, { nodes: 3, runtime: 'process' }])
    assert.throws(() => up(said), { name: 'UserError', message: /^--nodes 3 needs simulated nodes/ })
})
