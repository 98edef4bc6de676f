/** Reads a container's log as `kubectl logs` asks for it (API doc: core/v1 PodLogOptions). */
import { watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { LogOptions } from '../../../client/node-api.ts'
import { limited, news, type ReadDeps, sinceOf } from '../log-reading.ts'
import { findTail } from '../tail.ts'
import { olderFiles, sizeOf } from './log-files.ts'
import { type LogLine, parseLogLine } from './log-line.ts'

const CHUNK = 64 * 1024
const NEWLINE = Buffer.from('\n')

/** A place in the log. */
interface Start {
  readonly files: readonly string[]
  /** In the first of them. */
  readonly offset: number
}

/** Where reading begins: the last `lines` lines of all files together, or the beginning. */
async function startOf(file: string, lines: number | undefined): Promise<Start> {
  const files = [...olderFiles(file), file]
  if (lines === undefined) return { files, offset: 0 }
  let left = lines
  for (let at = files.length - 1; at >= 0; at--) {
    const handle = await open(files[at]!, 'r').catch(() => undefined)
    if (!handle) continue
    try {
      const tail = await findTail(handle, 0, (await handle.stat()).size, left)
      left -= tail.lines
      if (left <= 0 || at === 0) return { files: files.slice(at), offset: tail.offset }
    } finally {
      await handle.close()
    }
  }
  return { files: [file], offset: 0 }
}

/** Calls back when the file has grown or is another; returns a function that ends it. */
function onGrow(file: string, fn: () => void): () => void {
  try {
    const watcher = watch(file, { persistent: false }, fn)
    watcher.on('error', fn)
    return () => watcher.close()
  } catch {
    // It is being put aside: the next look finds its successor.
    const timer = setTimeout(fn, 20)
    return () => clearTimeout(timer)
  }
}

/** Whole lines of the log, file after file; with `follow` as they come. */
async function* linesOf(file: string, options: LogOptions, deps: ReadDeps): AsyncGenerator<Buffer[]> {
  const { files, offset } = await startOf(file, options.tailLines)
  let handle: FileHandle | undefined
  try {
    let rest: Buffer[] = []
    for (let index = 0, at = offset; !deps.signal.aborted; ) {
      const last = index >= files.length - 1
      handle ??= await open(files[index] ?? file, 'r').catch(() => undefined)
      // Asked before the read: what was written until the end is then surely read.
      const running = deps.running()
      const buffer = Buffer.allocUnsafe(CHUNK)
      const { bytesRead } = handle ? await handle.read(buffer, 0, CHUNK, at) : { bytesRead: 0 }
      if (bytesRead > 0) {
        at += bytesRead
        const lines = split(buffer.subarray(0, bytesRead), rest)
        rest = lines.rest
        if (lines.whole.length > 0) yield lines.whole
        continue
      }
      const replaced = last && (await isReplaced(handle, file))
      if (!last || replaced) {
        await handle?.close()
        handle = undefined
        index++
        at = 0
        continue
      }
      if (!options.follow || !running) return
      const isMore = () => (sizeOf(file) ?? 0) !== at
      await news(deps, fn => onGrow(file, fn), isMore)
    }
  } finally {
    await handle?.close()
  }
}

/** The name leads to another file than the one that is read. */
async function isReplaced(handle: FileHandle | undefined, file: string): Promise<boolean> {
  if (!handle) return sizeOf(file) !== undefined
  const other = await open(file, 'r').catch(() => undefined)
  if (!other) return false
  try {
    return (await other.stat()).ino !== (await handle.stat()).ino
  } finally {
    await other.close()
  }
}

/** Cuts bytes into lines; `rest` is the beginning of the first one, and what is given back that of the next. */
function split(bytes: Buffer, rest: readonly Buffer[]): { whole: Buffer[]; rest: Buffer[] } {
  const whole: Buffer[] = []
  let from = 0
  let begun = rest
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    const line = bytes.subarray(from, end)
    whole.push(begun.length > 0 ? Buffer.concat([...begun, line]) : line)
    begun = []
    from = end + 1
  }
  return { whole, rest: from < bytes.length ? [...begun, bytes.subarray(from)] : [...begun] }
}

/**
 * The log's bytes, or what the container wrote, from where `options` say. With `follow` it goes on until the container
 * has ended and everything was read, or `signal` aborts.
 */
export const readLog = (file: string, options: LogOptions, deps: ReadDeps): AsyncGenerator<Uint8Array> =>
  limited(shownOf(file, options, deps), options.limitBytes)

/** The same without a limit. */
async function* shownOf(file: string, options: LogOptions, deps: ReadDeps): AsyncGenerator<Uint8Array> {
  let since = sinceOf(options, deps.now)
  let isLineStart = true
  const shown = (line: LogLine): Buffer[] => {
    const stamp = options.timestamps && isLineStart ? [Buffer.from(`${line.time} `)] : []
    isLineStart = !line.partial
    return line.partial ? [...stamp, line.text] : [...stamp, line.text, NEWLINE]
  }
  for await (const lines of linesOf(file, options, deps)) {
    const parts: Buffer[] = []
    for (const raw of lines) {
      const line = parseLogLine(raw)
      if (!line) continue
      if (since !== undefined) {
        if (Date.parse(line.time) < since) continue
        since = undefined
      }
      parts.push(...shown(line))
    }
    if (parts.length > 0) yield Buffer.concat(parts)
  }
}
