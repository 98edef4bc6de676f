import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { fileBackend } from './file-backend.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-audit-'))
after(() => rmSync(base, { recursive: true, force: true }))

const DAY = 24 * 3600_000
const start = Date.parse('2026-01-02T03:04:05.678Z')
const folder = () => mkdtempSync(join(base, 'own-'))
const line = (name: string, bytes: number) => JSON.stringify({ name, padding: 'x'.repeat(bytes) })
const HALF = 600 << 10

test('fileBackend goes on with the file that is there', async () => {
  const path = join(folder(), 'audit.log')
  for (const name of ['a', 'b']) {
    const log = fileBackend({ path }, { clock: virtualClock(start), logger: silent })
    log.take(line(name, 0))
    await log.close()
  }
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 3)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('fileBackend begins a new file when the next line would not fit, and loses none', async () => {
  const dir = folder()
  const clock = virtualClock(start)
  const log = fileBackend({ path: join(dir, 'audit.log'), maxSize: 1 }, { clock, logger: silent })
  for (const name of ['a', 'b', 'c']) {
    log.take(line(name, HALF))
    await clock.advance(1000)
  }
  await log.close()
  assert.deepEqual(readdirSync(dir).sort(), [
    'audit-2026-01-02T03-04-06.678.log',
    'audit-2026-01-02T03-04-07.678.log',
    'audit.log',
  ])
  const names = readdirSync(dir)
    .sort()
    .map(name => JSON.parse(readFileSync(join(dir, name), 'utf8')).name)
  assert.deepEqual(names, ['a', 'b', 'c'])
})

test('fileBackend packs old files and keeps as many as it should, for as long as it should', async () => {
  const dir = folder()
  const clock = virtualClock(start)
  const options = { path: join(dir, 'audit.log'), maxSize: 1, maxBackups: 2, maxAge: 3, compress: true }
  const log = fileBackend(options, { clock, logger: silent })
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    log.take(line(name, HALF))
    await clock.advance(2 * DAY)
  }
  await log.close()
  const packed = readdirSync(dir).filter(name => name.endsWith('.gz'))
  // The one of two days ago is the newest; the one before it is older than three days by now.
  assert.deepEqual(packed, ['audit-2026-01-08T03-04-05.678.log.gz', 'audit-2026-01-10T03-04-05.678.log.gz'])
  assert.equal(JSON.parse(gunzipSync(readFileSync(join(dir, packed[1]!))).toString()).name, 'd')
})
