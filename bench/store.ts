/**
 * Writes and reads of the store's engines, beside node:sqlite on the main thread with one transaction per write.
 * `node bench/store.ts [FOLDER]`: the folder is on the disk that is meant.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { memoryStore } from '../src/store/memory/memory.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import type { Store } from '../src/store/store.ts'
import { measure, type Row, table } from './lib/measure.ts'

const BASELINE = 'node:sqlite, main thread'
const VALUE = Buffer.alloc(1500, 'v')
const KEYS = 10_000
const key = (index: number) => `/registry/core/pods/default/pod-${index % KEYS}`

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-store-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

/** Writes per second, one transaction each, and reads per second. */
async function baseline(): Promise<{ writes: number; reads: number }> {
  const database = new DatabaseSync(join(folder, 'baseline.db'))
  database.exec('pragma journal_mode = wal; pragma synchronous = full')
  database.exec('create table kv (key text primary key, value blob)')
  const insert = database.prepare('insert or replace into kv values (?, ?)')
  const select = database.prepare('select value from kv where key = ?')
  const writes = await measure(10_000, 1, async index => insert.run(key(index), VALUE))
  const reads = await measure(60_000, 1, async index => select.get(key(index)))
  database.close()
  return { writes: writes.perSecond, reads: reads.perSecond }
}

async function engine(name: string, store: Store, base: { writes: number; reads: number }): Promise<Row[]> {
  const put = (durability: 'durable' | 'relaxed') => (index: number) =>
    store.commit([{ type: 'put', key: key(index), value: VALUE }], durability)
  const rows: Row[] = []
  const add = (what: string, unit: string, figure: number, other?: number) =>
    rows.push({ what: `${name}: ${what}`, unit, figures: { tutti: figure, ...(other && { [BASELINE]: other }) } })
  const serial = await measure(10_000, 1, put('durable'))
  add('durable, one at a time', '/s', serial.perSecond, base.writes)
  add('durable, one at a time, p99', 'ms', serial.p99)
  const many = await measure(60_000, 64, put('durable'))
  add('durable, 64 in flight', '/s', many.perSecond, base.writes)
  add('durable, 64 in flight, p99', 'ms', many.p99)
  add('relaxed, 64 in flight', '/s', (await measure(60_000, 64, put('relaxed'))).perSecond, base.writes)
  // What was acknowledged early is in the file before it is read.
  await put('durable')(0)
  add('get', '/s', (await measure(60_000, 1, index => store.get(key(index)))).perSecond, base.reads)
  add(`range over ${KEYS}`, '/s', (await measure(10, 1, () => store.range({ prefix: '/' }))).perSecond)
  return rows
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

const base = await baseline()
const rows = await engine('sqlite', await openSqliteStore(join(folder, 'store.db')), base)
const path = join(folder, 'again.db')
const store = await openSqliteStore(path)
await measure(60_000, 64, index => store.commit([{ type: 'put', key: key(index), value: VALUE }]))
const ms = (what: string, figure: number): Row => ({ what: `sqlite: ${what}`, unit: 'ms', figures: { tutti: figure } })
rows.push(ms('close', await timed(() => store.close())))
rows.push(ms(`open with ${KEYS} keys`, await timed(() => openSqliteStore(path))))
rows.push(...(await engine('memory', memoryStore(), base)))
console.log(`values of ${VALUE.length} bytes, ${KEYS} keys, in ${folder}\n\n${table(rows)}`)
process.exit()
