/**
 * A container's log: one file that its copier appends to (copier.ts), so there is no gap while Tutti is away. Beside it
 * an index of (size, time) pairs, noted when the file was seen to have grown, dates lines: to 10 ms where they come now
 * and then, to a quarter of a second where they come all the time. Offsets never change, unless somebody empties the
 * file: the head is freed by punching a hole.
 */
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  type FSWatcher,
  openSync,
  readFileSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../../../lib/clock.ts'

/** How soon after a write the next one is looked for; twice as long each time that there was one, */
const FIRST_PERIOD_MS = 10
/** up to this, without and with someone who follows it. */
const PERIOD_MS = 250
const FOLLOWED_PERIOD_MS = 25
/** What is kept of one container's log, and in which steps the head is freed. As five files of 10 MiB (kubelet's default). */
const KEEP_BYTES = 50 * 1024 * 1024
const STEP_BYTES = 10 * 1024 * 1024

/** Marks that are kept in full; beyond, every second of the older half goes. */
const MARKS = 8192

/** Everything below `offset` was written by `time` (ms since the epoch). */
export interface LogMark {
  readonly offset: number
  readonly time: number
}

export interface ContainerLog {
  readonly file: string
  /** Bytes so far, those freed included. */
  size(): number
  /** Offset of the first byte that is still there. */
  head(): number
  marks(): readonly LogMark[]
  /** Calls `fn` after the file grew; returns a function that ends it. */
  onGrow(fn: () => void): () => void
  /** Looks at the file now. */
  look(): void
  /** Stops watching. */
  close(): void
}

/** Opens the log in `directory`, making it where it is missing. Grown since the last look: dated now. */
export function openLog(directory: string, clock: Clock): ContainerLog {
  const file = join(directory, 'log')
  const indexFile = join(directory, 'log.index')
  closeSync(openSync(file, 'a', 0o640))
  const marks: LogMark[] = []
  let head = 0
  try {
    for (const entry of readFileSync(indexFile, 'utf8').split('\n')) {
      const [kind, offset, time] = entry.split(' ')
      if (kind === 'm' && time) marks.push({ offset: Number(offset), time: Number(time) })
      if (kind === 'h' && offset) head = Number(offset)
    }
  } catch {
    // A new log has no index.
  }
  const listeners = new Set<() => void>()
  let watcher: FSWatcher | undefined
  let timer: Timer | undefined
  let closed = false
  let freeing = false

  const size = () => {
    try {
      return statSync(file).size
    } catch {
      return marks.at(-1)?.offset ?? 0
    }
  }
  const note = (text: string) => {
    try {
      appendFileSync(indexFile, text)
    } catch {
      // A full disk costs dates, not the log.
    }
  }
  const rewrite = () => {
    try {
      writeFileSync(indexFile, `h ${head}\n${marks.map(m => `m ${m.offset} ${m.time}\n`).join('')}`)
    } catch {
      // As above.
    }
  }
  /** Dates what is new; false when nothing is. */
  const look = (): boolean => {
    const now = size()
    if (now < (marks.at(-1)?.offset ?? 0)) {
      // Somebody has emptied it: what comes is a new one.
      head = 0
      marks.length = 0
      rewrite()
    }
    if (now <= (marks.at(-1)?.offset ?? 0)) return false
    const mark = { offset: now, time: clock.now() }
    marks.push(mark)
    if (marks.length > MARKS) {
      const half = MARKS / 2
      marks.splice(0, half, ...marks.slice(0, half).filter((_, index) => index % 2 === 1))
      rewrite()
    } else note(`m ${mark.offset} ${mark.time}\n`)
    for (const listener of [...listeners]) listener()
    if (now - head > KEEP_BYTES + STEP_BYTES) free(now - KEEP_BYTES)
    return true
  }
  /** Gives the blocks below `upTo` back; where the file system cannot, the log goes on growing. */
  const free = (upTo: number) => {
    if (freeing) return
    freeing = true
    const aligned = upTo - (upTo % 4096)
    execFile('/usr/bin/fallocate', ['-p', '-o', String(head), '-l', String(aligned - head), file], error => {
      freeing = false
      if (error) return
      head = aligned
      while (marks.length > 1 && marks[0]!.offset < head) marks.shift()
      rewrite()
    })
  }
  // A watch wakes at every write: after one it is taken away until there was none for a period, so that a busy log
  // costs a few looks a second.
  const arm = () => {
    if (closed) return
    try {
      watcher = watch(file, { persistent: false }, () => {
        disarm()
        look()
        lookAgain(FIRST_PERIOD_MS)
      })
      watcher.on('error', disarm)
    } catch {
      // Without inotify watches (limit reached) lines are dated when the log is read.
    }
  }
  const lookAgain = (period: number) => {
    timer?.cancel()
    if (closed) return
    timer = clock.after(period, () => {
      if (look()) return lookAgain(Math.min(period * 2, listeners.size > 0 ? FOLLOWED_PERIOD_MS : PERIOD_MS))
      arm()
      // What came between the look and the watch.
      if (!look()) return
      disarm()
      lookAgain(FIRST_PERIOD_MS)
    })
  }
  const disarm = () => {
    watcher?.close()
    watcher = undefined
  }
  look()
  arm()

  return {
    file,
    size,
    head: () => head,
    marks: () => marks,
    onGrow(fn) {
      listeners.add(fn)
      return () => listeners.delete(fn)
    },
    look: () => void look(),
    close() {
      closed = true
      disarm()
      timer?.cancel()
    },
  }
}
