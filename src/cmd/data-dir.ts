/** The data directory: made with care, marked with its version, and never shared by two programs or two formats. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UserError } from '../cli/context.ts'

/** Raised when what is kept changes so that an older program could not read it. */
const FORMAT = 1

/** Makes a folder and those above it. One by one: `recursive` of Node never returns where a parent refuses with ENOENT, as /proc does. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

/** A data directory of which the system gives no use. */
export const unusable = (dataDir: string, cause: unknown): UserError =>
  new UserError(
    `the data directory ${dataDir} cannot be used: ${(cause as Error).message}`,
    'Name another with --data-dir.',
    { cause },
  )

/** What may be there before the program is: its log, and what somebody has laid out for it. */
const BEFORE = [
  'tutti.log',
  'config.yaml',
  'kubelet.yaml',
  'credential-providers.yaml',
  'images',
  'manifests',
  'seccomp',
]

/** Makes the directory, or checks that it is one that this program can use. Throws `UserError`. */
export function openDataDir(dataDir: string, program: string): void {
  const file = join(dataDir, 'version')
  try {
    makeFolder(dataDir)
    if (!existsSync(file)) {
      const strange = readdirSync(dataDir).filter(name => !BEFORE.includes(name))
      if (strange.length > 0)
        throw new UserError(
          `${dataDir} holds other things (${strange.slice(0, 3).join(', ')}) and is no data directory of Tutti`,
          'Name an empty folder, or a new one, with --data-dir.',
        )
      writeFileSync(file, `${JSON.stringify({ format: FORMAT, program })}\n`, { mode: 0o600 })
      return
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw unusable(dataDir, cause)
  }
  let format: unknown
  try {
    format = JSON.parse(readFileSync(file, 'utf8')).format
  } catch (cause) {
    throw new UserError(
      `${file} cannot be read: ${(cause as Error).message}`,
      `Restore it, or remove ${dataDir} to begin anew.`,
      { cause },
    )
  }
  if (format !== FORMAT)
    throw new UserError(
      `${dataDir} has format ${String(format)}; this program (${program}) knows format ${FORMAT}`,
      'Use the version of tutti that made it, or another --data-dir.',
    )
}
