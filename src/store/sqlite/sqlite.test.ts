import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, it } from 'node:test'
import { PATIENCE } from '../../lib/eventually.fixture.ts'
import { storeContract } from '../store.contract.ts'
import { type Op, type Store, StoreError } from '../store.ts'
import { openSqliteStore } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-sqlite-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = () => join(folder, `${++files}.db`)

storeContract('sqlite', ({ events } = {}) => openSqliteStore(newPath(), events ? { history: { events } } : {}))

const put = (key: string, value: string | Buffer): Op => ({ type: 'put', key, value: Buffer.from(value) })
const isCode = (code: StoreError['code'], says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreError, `${error} is not a StoreError`)
  assert.equal(error.code, code, error.message)
  assert.match(error.message, says)
  return true
}
async function contents(store: Store): Promise<Record<string, string>> {
  const { items } = await store.range({ prefix: '/' })
  return Object.fromEntries(items.map(item => [item.key, `${item.value}@${item.createRevision},${item.modRevision}`]))
}

it('openSqliteStore finds everything again, goes on counting, and resumes watches', async () => {
  const path = newPath()
  const first = await openSqliteStore(path)
  await first.commit([put('/a', '1'), put('/b', '1')])
  await first.commit([put('/a', '2')])
  await first.commit([{ type: 'delete', key: '/b' }])
  await first.commit([put('/c', '4')], 'relaxed')
  const before = await contents(first)
  await first.close()

  const second = await openSqliteStore(path)
  assert.equal(second.revision(), 4)
  assert.deepEqual(await contents(second), before)
  const seen: string[] = []
  await second.watch({
    prefix: '/',
    after: 1,
    onEvents: events =>
      seen.push(
        ...events.map(({ type, key, revision, previous }) => `${type} ${key}@${revision} was ${previous?.value}`),
      ),
  })
  assert.deepEqual(seen, ['put /a@2 was 1', 'delete /b@3 was 1', 'put /c@4 was undefined'])
  assert.deepEqual(await second.commit([put('/d', '5')]), { ok: true, revision: 5 })
  await second.close()
})

it('openSqliteStore never gives a revision out again, even when everything was deleted and forgotten', async () => {
  const path = newPath()
  const options = { history: { events: 1 } }
  const first = await openSqliteStore(path, options)
  for (let at = 0; at < 600; at++) {
    await first.commit([put('/a', `${at}`)])
    await first.commit([{ type: 'delete', key: '/a' }])
  }
  await first.close()
  const second = await openSqliteStore(path, options)
  assert.equal(second.revision(), 1200)
  assert.deepEqual(await contents(second), {})
  await second.close()
})

it('openSqliteStore lets rows that fell out of the window leave the file', async () => {
  const path = newPath()
  const store = await openSqliteStore(path, { history: { events: 10 } })
  for (let at = 0; at < 1500; at++) await store.commit([put(`/k${at % 7}`, Buffer.alloc(1000, at))])
  await store.close()
  const file = new DatabaseSync(path)
  const { rows } = file.prepare('select count(*) as rows from log').get() as { rows: number }
  file.close()
  assert.ok(rows < 600, `${rows} rows are left of 7 keys and 10 changes`)
  const again = await openSqliteStore(path, { history: { events: 10 } })
  const { items } = await again.range({ prefix: '/' })
  assert.deepEqual(items.map(item => item.modRevision).sort(), [1494, 1495, 1496, 1497, 1498, 1499, 1500])
  await again.close()
})

/** Files that are refused, and left as they are. */
const refused: { title: string; make: (path: string) => void; code: StoreError['code']; says: RegExp }[] = [
  {
    title: 'a text file',
    make: path => writeFileSync(path, 'hello '.repeat(100)),
    code: 'foreign',
    says: /is not a Tutti store: it is not an SQLite database/,
  },
  {
    title: 'a short file',
    make: path => writeFileSync(path, 'x'),
    code: 'foreign',
    says: /is not a Tutti store/,
  },
  {
    title: "another program's database",
    make(path) {
      const other = new DatabaseSync(path)
      other.exec('create table log (id integer)')
      other.close()
    },
    code: 'foreign',
    says: /application id is 0x0, expected 0x54757474/,
  },
  {
    title: 'a store of a newer program',
    make(path) {
      const other = new DatabaseSync(path)
      other.exec(`pragma application_id = ${0x54757474}; pragma user_version = 9; create table log (id integer)`)
      other.close()
    },
    code: 'foreign',
    says: /written by a newer Tutti: its format is 9, this program reads up to 1/,
  },
]
for (const { title, make, code, says } of refused) {
  it(`openSqliteStore refuses ${title} and does not touch it`, async () => {
    const path = newPath()
    make(path)
    const before = readFileSync(path)
    await assert.rejects(openSqliteStore(path), isCode(code, says))
    assert.ok(readFileSync(path).equals(before))
  })
}

it('openSqliteStore refuses a damaged file', async () => {
  const path = newPath()
  const store = await openSqliteStore(path)
  for (let at = 0; at < 50; at++) await store.commit([put(`/k${at}`, Buffer.alloc(1500, at))])
  await store.close()
  const file = openSync(path, 'r+')
  const garbage = Buffer.alloc(statSync(path).size - 4096 * 2, 0xa5)
  writeSync(file, garbage, 0, garbage.length, 4096 * 2)
  closeSync(file)
  await assert.rejects(openSqliteStore(path), isCode('corrupt', /damaged.*restore it from a backup/))
})

it('openSqliteStore says where a folder is missing', async () => {
  await assert.rejects(openSqliteStore(join(folder, 'none', 'x.db')), isCode('failed', /none\/x\.db/))
})

it('openSqliteStore refuses a file that this process has open', async () => {
  const path = newPath()
  const store = await openSqliteStore(path)
  await assert.rejects(
    openSqliteStore(path),
    isCode('in-use', new RegExp(`in use by another process \\(pid ${process.pid}\\)`)),
  )
  await store.commit([put('/a', '1')])
  await store.close()
  await (await openSqliteStore(path)).close()
})

it('openSqliteStore refuses a file that another process has open, until that ends however it ends', async () => {
  const path = newPath()
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
    await openSqliteStore(${JSON.stringify(path)})
    console.log('open')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  await assert.rejects(openSqliteStore(path), isCode('in-use', new RegExp(`\\(pid ${child.pid}\\)`)))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await openSqliteStore(path)).close()
})

it('openSqliteStore keeps the process alive only until it is closed', () => {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
    const store = await openSqliteStore(${JSON.stringify(newPath())})
    await store.commit([{ type: 'put', key: '/a', value: Buffer.from('1') }])
    await store.close()`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: PATIENCE })
  assert.equal(run.status, 0, run.stderr.toString())
})

/** A file system of 2 MB, or why there is none. */
function smallDisk(): { path: string; unmount(): void } | string {
  const path = join(folder, 'small')
  mkdirSync(path)
  if (process.platform !== 'linux') return 'needs tmpfs'
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path])
  if (mount.status !== 0) return 'mounting a tmpfs is not allowed'
  return { path, unmount: () => spawnSync('umount', [path]) }
}

it('commit on a full disk is refused, loses nothing that was acknowledged, and works again when there is room', async t => {
  const disk = smallDisk()
  if (typeof disk === 'string') return t.skip(disk)
  t.after(disk.unmount)
  const path = join(disk.path, 'store.db')
  const store = await openSqliteStore(path)
  const published: string[] = []
  await store.watch({ prefix: '/', after: 0, onEvents: events => published.push(...events.map(event => event.key)) })
  const acknowledged = new Map<string, Buffer>()
  const failures: unknown[] = []
  const writer = async (name: number) => {
    for (let at = 0; at < 400; at++) {
      const key = `/w${name}/${at}`
      const value = Buffer.alloc(2000, at)
      try {
        const result = await store.commit([put(key, value)], at % 5 ? 'durable' : 'relaxed')
        assert.ok(result.ok)
        acknowledged.set(key, value)
      } catch (error) {
        failures.push(error)
        if (failures.length > 40) return
      }
    }
  }
  const holds = async (opened: Store) => {
    const { items } = await opened.range({ prefix: '/' })
    const found = new Map(items.map(item => [item.key, item.value]))
    assert.deepEqual([...found.keys()].sort(), [...acknowledged.keys()].sort())
    for (const [key, value] of acknowledged) assert.ok(found.get(key)?.equals(value), `${key} changed`)
  }

  writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(500_000))
  await Promise.all([1, 2, 3, 4].map(writer))
  assert.ok(failures.length > 0, 'the disk never went full')
  for (const error of failures) isCode('full', /no room left/)(error)
  assert.deepEqual([...published].sort(), [...acknowledged.keys()].sort())
  await holds(store)

  rmSync(join(disk.path, 'ballast'))
  const result = await store.commit([put('/later', 'x')])
  assert.ok(result.ok)
  assert.equal(result.revision, acknowledged.size + 1)
  acknowledged.set('/later', Buffer.from('x'))
  await store.close()
  const again = await openSqliteStore(path)
  assert.equal(again.revision(), acknowledged.size)
  await holds(again)
  await again.close()
})
