/**
 * Programs of this machine that run inside an image's files, where nothing is known to exist: the program, its loader
 * and its libraries are copied into one folder, which a container sees read-only at `CARRIED`. They set a process' user,
 * rights and filter of system calls, make its terminal, and let go of the machine's files.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isNoExec } from '../../../lib/mounts.ts'
import { loaderOf, sharedLibraries } from '../../../lib/shared-libraries.ts'
import { systemProgram } from '../../../lib/system-program.ts'

/** Where a container sees them. */
export const CARRIED = '/dev/.tutti'

const TOOLS = ['setpriv', 'script', 'umount', 'env', 'stty', 'perl'] as const
export type CarriedTool = (typeof TOOLS)[number]
/** Those that a machine need not have: what wants one is refused before. */
const SPARE: ReadonlySet<CarriedTool> = new Set(['perl'])

export interface CarriedTools {
  /** On this machine. */
  readonly folder: string
  /** There nothing is executed: they must be seen as the files of another file system. */
  readonly noExec: boolean
  /** The words that run a tool in a container; its arguments follow. */
  command(tool: CarriedTool): string[]
}

/**
 * Copies what is needed below `folder`, once for each state of the machine's programs. Throws an `Error` that names a
 * program that the machine does not have. Some 20 ms when it must copy.
 */
export function carryTools(folder: string): CarriedTools {
  const programs = new Map<CarriedTool, { path: string; loader: string | undefined }>()
  for (const tool of TOOLS) {
    const path = systemProgram(tool)
    if (!path && SPARE.has(tool)) continue
    if (!path)
      throw new Error(`images need the program ${JSON.stringify(tool)} (util-linux, coreutils) on this machine`)
    programs.set(tool, { path, loader: loaderOf(path) })
  }
  const sources = new Map<string, string>()
  for (const [tool, { path }] of programs) {
    sources.set(tool, path)
    for (const library of sharedLibraries(path)) sources.set(basename(library), library)
  }
  const state = [...sources].map(([name, path]) => {
    const { size, mtimeMs } = statSync(path)
    return [name, path, size, mtimeMs]
  })
  const place = join(folder, createHash('sha256').update(JSON.stringify(state)).digest('hex').slice(0, 16))
  if (!existsSync(place)) {
    const draft = `${place}.new`
    rmSync(draft, { recursive: true, force: true })
    mkdirSync(draft, { recursive: true, mode: 0o755 })
    for (const [name, path] of sources) copyFileSync(path, join(draft, name))
    renameSync(draft, place)
  }
  return {
    folder: place,
    noExec: isNoExec(place),
    command(tool) {
      const { loader } = programs.get(tool)!
      const program = `${CARRIED}/${tool}`
      // Named outright: a program that is linked in and asks what it is called (busybox) finds its name.
      return loader ? [`${CARRIED}/${basename(loader)}`, '--library-path', CARRIED, program] : [program]
    },
  }
}
