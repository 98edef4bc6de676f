/** The audit log as a file, a line an event, begun anew when it is large; old ones are packed and thrown away. */
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  type WriteStream,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { AuditBackend } from './audit.ts'

/** As the `--audit-log-…` flags of kube-apiserver. */
export interface FileOptions {
  readonly path: string
  /** A file of this many megabytes is the last to be written to. Default 100. */
  readonly maxSize?: number
  /** Old files beyond this number go; 0 keeps all. Default 0. */
  readonly maxBackups?: number
  /** Old files go after this many days; 0 keeps all. Default 0. */
  readonly maxAge?: number
  /** Old files are packed. */
  readonly compress?: boolean
}

const MEGABYTE = 1 << 20
const DAY = 24 * 3600_000
/** Bytes that may wait for a slow disk; what comes beyond is dropped. */
const WAITING_LIMIT = 64 * MEGABYTE

interface Paths {
  readonly folder: string
  readonly stem: string
  readonly extension: string
}

function pathsOf(path: string): Paths {
  const extension = extname(path)
  return { folder: dirname(path), stem: basename(path, extension), extension }
}

/** `audit-2026-01-02T03-04-05.678.log` */
const backupName = ({ stem, extension }: Paths, now: number) =>
  `${stem}-${new Date(now).toISOString().replace(/:/g, '-').replace('Z', '')}${extension}`

/** Earlier files, the newest first. */
function backupsOf({ folder, stem, extension }: Paths) {
  return readdirSync(folder)
    .filter(name => name.startsWith(`${stem}-`) && (name.endsWith(extension) || name.endsWith(`${extension}.gz`)))
    .map(name => ({ name, at: Date.parse(timeIn(name.slice(stem.length + 1))) }))
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => b.at - a.at)
}

function timeIn(name: string): string {
  const [, day, hour, minute, rest] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})/.exec(name) ?? []
  return day ? `${day}T${hour}:${minute}:${rest}Z` : ''
}

/** Opens the log; `-` is the standard output. Throws where the file cannot be written. */
export function fileBackend(options: FileOptions, { clock, logger }: { clock: Clock; logger: Logger }): AuditBackend {
  const { path, maxSize = 100, maxBackups = 0, maxAge = 0, compress = false } = options
  if (path === '-') return { take: line => void process.stdout.write(`${line}\n`), close: async () => {} }
  const paths = pathsOf(path)
  mkdirSync(paths.folder, { recursive: true, mode: 0o700 })
  let size = 0
  let dropped = 0
  let housework: Promise<void> = Promise.resolve()
  let stream = open()

  function open(): WriteStream {
    size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    // Opened at once: a file that is full must be there to be renamed, however slow the disk is.
    const made = createWriteStream(path, { fd: openSync(path, 'a', 0o600) })
    made.on('error', error => logger.error({ err: error, path }, 'the audit log cannot be written'))
    return made
  }

  function prune(now: number) {
    backupsOf(paths).forEach(({ name, at }, place) => {
      const isOld = maxAge > 0 && now - at > maxAge * DAY
      if (isOld || (maxBackups > 0 && place >= maxBackups)) unlinkSync(join(paths.folder, name))
    })
  }

  async function pack(file: string) {
    await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz`, { mode: 0o600 }))
    unlinkSync(file)
  }

  function rotate() {
    const full = stream
    const now = clock.now()
    const backup = join(paths.folder, backupName(paths, now))
    // What is still on its way goes to the file that is open, whatever its name is.
    renameSync(path, backup)
    const written = new Promise<void>(resolve => full.end(resolve))
    stream = open()
    housework = housework
      .then(async () => {
        await written
        if (compress) await pack(backup)
        prune(now)
      })
      .catch(error => logger.error({ err: error, path }, 'old audit logs could not be put away'))
  }

  return {
    take(line) {
      const bytes = Buffer.byteLength(line) + 1
      if (stream.writableLength > WAITING_LIMIT) {
        dropped++
        return
      }
      if (dropped) {
        logger.error({ dropped, path }, 'audit events were dropped: the disk is too slow')
        dropped = 0
      }
      if (size > 0 && size + bytes > maxSize * MEGABYTE) {
        try {
          rotate()
        } catch (error) {
          logger.error({ err: error, path }, 'the audit log could not be begun anew')
        }
      }
      size += bytes
      stream.write(`${line}\n`)
    },
    async close() {
      await new Promise<void>(resolve => stream.end(resolve))
      await housework
    },
  }
}
