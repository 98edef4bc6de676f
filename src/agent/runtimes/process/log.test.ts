import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { settled, type VirtualClock, virtualClock } from '../../../lib/virtual-clock.ts'
import { type ContainerLog, openLog } from './log.ts'
import { readLog } from './log-read.ts'

describe('openLog', () => {
  let directory: string
  let clock: VirtualClock
  let log: ContainerLog
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tutti-log-'))
    clock = virtualClock(1_000_000)
    log = openLog(directory, clock)
  })
  afterEach(() => {
    log.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const write = () => appendFileSync(log.file, 'line\n')
  /** The kernel tells of a write when it likes; the clock stands meanwhile. */
  const dated = async (count: number) => {
    for (let turn = 0; turn < 10_000 && log.marks().length < count; turn++) await settled(1)
    return log.marks().map(each => each.time - 1_000_000)
  }

  it('dates lines that come now and then to the moment', async () => {
    const expected: number[] = []
    for (let line = 1; line <= 4; line++) {
      expected.push(clock.now() - 1_000_000)
      write()
      assert.deepEqual(await dated(line), expected)
      await clock.advance(30)
    }
  })

  it('looks at a log that grows all the time a few times a second', async () => {
    write()
    await dated(1)
    for (let line = 0; line < 200; line++) {
      write()
      await clock.advance(10)
    }
    const { length } = log.marks()
    assert.ok(length >= 8 && length <= 14, `${length} looks in 2 s`)
    await clock.advance(500)
    assert.equal(log.marks().at(-1)?.offset, log.size())
  })

  it('dates a line that comes while its reader begins', async () => {
    const deps = { now: clock.now(), running: () => true, onEnd: () => () => {}, signal: new AbortController().signal }
    // The kernel does not tell of it in time.
    log.close()
    const lines = readLog(log, { container: 'c', timestamps: true }, deps)
    const first = lines.next()
    write()
    assert.equal(Buffer.from((await first).value!).toString(), '1970-01-01T00:16:40.000000000Z line\n')
    await lines.return(undefined)
  })

  it('begins anew where somebody empties it, and so does who follows it', async () => {
    write()
    write()
    log.look()
    const abort = new AbortController()
    const deps = { now: clock.now(), running: () => true, onEnd: () => () => {}, signal: abort.signal }
    const lines = readLog(log, { container: 'c', follow: true }, deps)
    const next = async () => Buffer.from((await lines.next()).value!).toString()
    assert.equal(await next(), 'line\nline\n')
    const following = next()
    writeFileSync(log.file, 'new\n')
    log.look()
    assert.equal(await following, 'new\n')
    assert.deepEqual(log.marks(), [{ offset: 4, time: clock.now() }])
    abort.abort()
  })
})
