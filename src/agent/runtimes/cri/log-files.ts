/**
 * The files of one container's log: `N.log`, which the runtime appends to, and those that were full before it,
 * `N.log.TIME`, oldest first. What they take is bounded as by a kubelet: five files of 10 MiB.
 */
import { readdirSync, renameSync, rmSync, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'

/** A file that has grown beyond this is put aside, (bytes) */
const MAX_BYTES = 10 * 1024 * 1024
/** and so many are kept, the present one included. */
const MAX_FILES = 5
/** Between two looks at a log that is being written (ms). */
const PERIOD_MS = 1000

/** Bytes of a file; undefined when it is not there. */
export function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size
}

/** Files that were put aside, oldest first. */
export function olderFiles(file: string): string[] {
  const prefix = `${basename(file)}.`
  try {
    return readdirSync(dirname(file))
      .filter(name => name.startsWith(prefix))
      .sort()
      .map(name => join(dirname(file), name))
  } catch {
    return []
  }
}

export interface RotationDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Tells the runtime to write to a new file of the old name. */
  reopen(): Promise<void>
  readonly maxBytes?: number
}

/** Keeps a log within its bounds until the returned function is called. */
export function rotateLog(file: string, { clock, logger, reopen, maxBytes = MAX_BYTES }: RotationDeps): () => void {
  let ended = false
  let watcher: ReturnType<typeof watch> | undefined
  let timer: Timer | undefined

  async function rotate() {
    const aside = `${file}.${new Date(clock.now()).toISOString().replace(/[-:T]/g, '').slice(0, 14)}`
    renameSync(file, olderFiles(file).includes(aside) ? `${aside}.1` : aside)
    for (const old of olderFiles(file).slice(0, -(MAX_FILES - 1))) rmSync(old, { force: true })
    await reopen()
  }
  // A watch wakes at every write: after one it is away until a period has passed.
  const arm = () => {
    if (ended) return
    try {
      watcher = watch(file, { persistent: false }, () => {
        disarm()
        timer ??= clock.after(PERIOD_MS, look)
      })
      watcher.on('error', disarm)
    } catch {
      // No log yet, or no more watches: then it is looked at now and then.
      timer = clock.after(PERIOD_MS * 10, look)
    }
  }
  const disarm = () => {
    watcher?.close()
    watcher = undefined
  }
  async function look() {
    timer = undefined
    try {
      if ((sizeOf(file) ?? 0) > maxBytes) await rotate()
    } catch (error) {
      logger.warn({ err: error, file }, 'a log could not be rotated')
    }
    arm()
  }
  void look()
  return () => {
    ended = true
    disarm()
    timer?.cancel()
  }
}
