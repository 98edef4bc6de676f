/** Files of settings that are read again when they change, without a restart. */
import { readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'

/** Changes within this time are one, in ms: editors write in several steps. */
const SETTLE = 200

export interface FollowOptions {
  readonly file: string
  /** The subject of a sentence in the log: `the encryption of the store`. */
  readonly what: string
  /** The text that was read before. */
  readonly known: string
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Calls `use` with the text of the file whenever it is another one than before. What it throws or rejects with is
 * logged: what was good before goes on. Returns the end of it.
 */
export function followFile(options: FollowOptions, use: (text: string) => unknown): () => void {
  const { file, what, clock, logger } = options
  let { known } = options
  let timer: Timer | undefined
  let last: Promise<void> = Promise.resolve()
  const name = basename(file)

  async function read() {
    try {
      const text = readFileSync(file, 'utf8')
      if (text === known) return
      known = text
      await use(text)
      logger.info({ file }, `${what} was read anew`)
    } catch (error) {
      logger.error({ err: error, file }, `${what} is wrong now, and stays as it was`)
    }
  }
  const changed = () => {
    timer = undefined
    last = last.then(read)
  }
  // The folder is watched: editors put a new file in the place of the old, Kubernetes a new folder (`..data`).
  const watcher = watch(dirname(file), { persistent: false }, (_event, entry) => {
    if (entry === name || entry?.startsWith('..')) timer ??= clock.after(SETTLE, changed)
  })
  watcher.on('error', error => logger.error({ err: error, file }, 'changes of a file are not seen any more'))
  return () => {
    timer?.cancel()
    watcher.close()
  }
}
