/**
 * Kills a process that writes through the SQLite engine, again and again, and looks at what is left. About 10 seconds;
 * `TUTTI_ROBUSTNESS_SECONDS` makes it longer.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSqliteStore } from '../../src/store/sqlite/sqlite.ts'
import type { KeyValue } from '../../src/store/store.ts'
import { unsealed } from './store-value.ts'

const SECONDS = Number(process.env.TUTTI_ROBUSTNESS_SECONDS ?? 8)
const folder = mkdtempSync(join(tmpdir(), 'tutti-robust-'))
after(() => rmSync(folder, { recursive: true }))

interface Acknowledged {
  readonly key: string
  readonly revision: number
  readonly durability: string
  readonly number: number
}

/** Runs the writer and kills it `ms` after it began to write. Returns what it had acknowledged, and where it began. */
async function killedAfter(ms: number, path: string, run: number): Promise<{ began: number; log: Acknowledged[] }> {
  const program = fileURLToPath(new URL('./store-writer.ts', import.meta.url))
  // A file, not a pipe: its writer never finds it full.
  const output = join(folder, 'acknowledged')
  const file = openSync(output, 'w')
  const child = spawn(process.execPath, [program, path, String(run)], { stdio: ['ignore', file, 'inherit', 'pipe'] })
  closeSync(file)
  await Promise.race([once(child.stdio[3]!, 'data'), once(child, 'exit')])
  setTimeout(() => child.kill('SIGKILL'), ms)
  const [, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL', 'the writer ended by itself')
  // The last line may be cut off; it does not count.
  const [head = '', ...lines] = readFileSync(output, 'utf8').split('\n').slice(0, -1)
  const log = lines.map(line => {
    const [key = '', revision, durability = '', number] = line.split(' ')
    return { key, revision: Number(revision), durability, number: Number(number) }
  })
  return { began: Number(head.split(' ')[1]), log }
}

/** Nothing acknowledged as durable is lost or went back; values are whole; twins belong together. */
function checkDurable(found: ReadonlyMap<string, KeyValue>, acknowledged: ReadonlyMap<string, Acknowledged>) {
  for (const { key, revision, number } of acknowledged.values()) {
    const stands = found.get(key)
    assert.ok(stands, `${key}, acknowledged at revision ${revision}, is lost`)
    assert.ok(stands.modRevision >= revision, `${key} went back from ${revision} to ${stands.modRevision}`)
    assert.ok(unsealed(stands.value).number >= number)
  }
  for (const [key, { value, modRevision }] of found) {
    assert.ok(key.startsWith(unsealed(value).key), `${key} has a value of another key`)
    if (!key.startsWith('/durable/') || key.endsWith('/twin')) continue
    const twin = found.get(`${key}/twin`)
    assert.equal(twin?.modRevision, modRevision, `${key} was written without its twin`)
  }
}

/** What survived of a run's relaxed writes is a beginning of them. */
function checkRelaxed(found: ReadonlyMap<string, KeyValue>, run: number): number {
  const numbers = [...found.keys()]
    .filter(key => key.startsWith(`/relaxed/${run}/`))
    .map(key => Number(key.split('/')[3]))
  numbers.sort((a, b) => a - b)
  assert.deepEqual(numbers, Array.from(numbers.keys()), 'relaxed writes survived out of order')
  return numbers.length
}

it(`the SQLite store keeps every acknowledged write through kill -9, for ${SECONDS} s`, {
  timeout: (SECONDS + 60) * 1000,
}, async t => {
  const path = join(folder, 'store.db')
  const end = Date.now() + SECONDS * 1000
  const acknowledged = new Map<string, Acknowledged>()
  let writes = 0
  let newest = 0
  let run = 0
  for (; Date.now() < end; run++) {
    const { began, log } = await killedAfter(50 + ((run * 137) % 400), path, run)
    assert.ok(began >= newest, `the store began at revision ${began} after ${newest} had been acknowledged`)
    for (const [index, entry] of log.entries()) {
      assert.ok(entry.revision > (log[index - 1]?.revision ?? began), 'revisions were not acknowledged in order')
      if (entry.durability === 'durable') acknowledged.set(entry.key, entry)
    }
    writes += log.length

    const store = await openSqliteStore(path, { history: { events: 500 } })
    const { items } = await store.range({ prefix: '/' })
    const found = new Map(items.map(item => [item.key, item]))
    checkDurable(found, acknowledged)
    checkRelaxed(found, run)
    const lastDurable = log.findLast(entry => entry.durability === 'durable')?.revision ?? 0
    assert.ok(store.revision() >= lastDurable)
    newest = store.revision()
    await store.close()
  }
  assert.ok(writes > 0 && run > 1, 'nothing was written before the kills')
  t.diagnostic(`${run} kills, ${writes} acknowledged writes, revision ${newest}`)
})
