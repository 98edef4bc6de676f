/** Reads a container's log as `kubectl logs` asks for it (API doc: core/v1 PodLogOptions). */
import { type FileHandle, open } from 'node:fs/promises'
import type { LogOptions } from '../../../client/node-api.ts'
import { limited, news, type ReadDeps, sinceOf } from '../log-reading.ts'
import { findTail } from '../tail.ts'
import type { ContainerLog, LogMark } from './log.ts'

const CHUNK = 64 * 1024
const NEWLINE = 10

/** The first line that begins at or after `offset`. */
async function nextLine(file: FileHandle, offset: number, end: number): Promise<number> {
  if (offset === 0) return 0
  const buffer = Buffer.alloc(CHUNK)
  for (let at = offset - 1; at < end; at += CHUNK) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, end - at), at)
    const found = buffer.subarray(0, bytesRead).indexOf(NEWLINE)
    if (found >= 0) return at + found + 1
  }
  return end
}

/** When the byte at `offset` was written, as well as it is known. */
function timeAt(marks: readonly LogMark[], offset: number): number {
  let low = 0
  let high = marks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (marks[middle]!.offset > offset) high = middle
    else low = middle + 1
  }
  return (marks[low] ?? marks.at(-1))?.time ?? 0
}

/** RFC 3339 with nanoseconds, as the kubelet writes it. */
const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, -1)}000000Z `

/** Where reading begins for `since` and `tailLines` together: the later of the two. */
async function begin(file: FileHandle, log: ContainerLog, options: LogOptions, now: number, end: number) {
  const since = sinceOf(options, now)
  let from = log.head() === 0 ? 0 : await nextLine(file, log.head(), end)
  if (since !== undefined) {
    const older = log.marks().findLast(mark => mark.time < since)
    if (older && older.offset > from) from = await nextLine(file, older.offset, end)
  }
  return options.tailLines === undefined ? from : (await findTail(file, from, end, options.tailLines)).offset
}

/**
 * The log's bytes from where `options` say. With `follow` it goes on until `running()` is false and everything was
 * read, or `signal` aborts; `onEnd` calls back when running may have changed. `now` is in ms since the epoch.
 */
export const readLog = (log: ContainerLog, options: LogOptions, deps: LogDeps): AsyncGenerator<Uint8Array> =>
  limited(shownOf(log, options, deps), options.limitBytes)

interface LogDeps extends ReadDeps {
  /** Where reading begins, whatever the options say. */
  readonly from?: number
}

/** The same without a limit. */
async function* shownOf(log: ContainerLog, options: LogOptions, deps: LogDeps): AsyncGenerator<Uint8Array> {
  log.look()
  const file = await open(log.file, 'r')
  try {
    let at = deps.from ?? (await begin(file, log, options, deps.now, log.size()))
    let lineStart = true
    while (!deps.signal.aborted) {
      const running = deps.running()
      const buffer = Buffer.allocUnsafe(CHUNK)
      const { bytesRead } = await file.read(buffer, 0, CHUNK, at)
      if (bytesRead === 0) {
        if (log.size() < at) {
          at = 0
          continue
        }
        if (!options.follow || !running) return
        await news(deps, log.onGrow, () => log.size() > at)
        continue
      }
      const raw = buffer.subarray(0, bytesRead)
      // It may have come since the last look.
      if (options.timestamps) log.look()
      const out = options.timestamps ? dated(raw, at, lineStart, log.marks()) : raw
      lineStart = raw[bytesRead - 1] === NEWLINE
      at += bytesRead
      yield out
    }
  } finally {
    await file.close()
  }
}

/** The bytes with a date before each line. */
function dated(raw: Buffer, offset: number, lineStart: boolean, marks: readonly LogMark[]): Buffer {
  const parts: Uint8Array[] = []
  let fresh = lineStart
  for (let at = 0; at < raw.length; ) {
    if (fresh) parts.push(Buffer.from(stamp(timeAt(marks, offset + at))))
    const end = raw.indexOf(NEWLINE, at)
    fresh = end >= 0
    const next = fresh ? end + 1 : raw.length
    parts.push(raw.subarray(at, next))
    at = next
  }
  return Buffer.concat(parts)
}
