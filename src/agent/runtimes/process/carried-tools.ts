/**
 * Programs of this machine that run inside an image's files, where nothing is known to exist: the program, its loader
 * and its libraries are copied into one folder, which a container sees read-only at `CARRIED`. They set a process' user
 * and rights, make its terminal, and let go of the machine's files.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Where a container sees them. */
export const CARRIED = '/dev/.tutti'

const TOOLS = ['setpriv', 'script', 'umount', 'env', 'stty'] as const
export type CarriedTool = (typeof TOOLS)[number]

export interface CarriedTools {
  /** On this machine. */
  readonly folder: string
  /** The words that run a tool in a container; its arguments follow. */
  command(tool: CarriedTool): string[]
}

const PT_INTERP = 3

/** The loader that an ELF program asks for; undefined for one that needs none, or is of another sort. */
function loaderOf(program: string): string | undefined {
  const bytes = readFileSync(program)
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return undefined
  const table = Number(bytes.readBigUInt64LE(32))
  const size = bytes.readUInt16LE(54)
  for (let at = table; at < table + size * bytes.readUInt16LE(56); at += size) {
    if (bytes.readUInt32LE(at) !== PT_INTERP) continue
    const from = Number(bytes.readBigUInt64LE(at + 8))
    const length = Number(bytes.readBigUInt64LE(at + 32))
    return bytes.toString('latin1', from, from + length - 1)
  }
  return undefined
}

/** Files of libraries that a program's loader would load. */
function librariesOf(loader: string, program: string): string[] {
  const lines = execFileSync(loader, ['--list', program], { encoding: 'utf8', env: {} }).split('\n')
  return lines.map(line => /=> (\/\S+)/.exec(line)?.[1]).filter(path => path !== undefined)
}

/**
 * Copies what is needed below `folder`, once for each state of the machine's programs. Throws an `Error` that names a
 * program that the machine does not have. Some 20 ms when it must copy.
 */
export function carryTools(folder: string): CarriedTools {
  const programs = new Map<CarriedTool, { path: string; loader: string | undefined }>()
  for (const tool of TOOLS) {
    const path = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map(dir => join(dir, tool)).find(existsSync)
    if (!path)
      throw new Error(`images need the program ${JSON.stringify(tool)} (util-linux, coreutils) on this machine`)
    programs.set(tool, { path, loader: loaderOf(realpathSync(path)) })
  }
  const sources = new Map<string, string>()
  for (const [tool, { path, loader }] of programs) {
    sources.set(tool, path)
    if (!loader) continue
    sources.set(basename(loader), loader)
    for (const library of librariesOf(loader, path)) sources.set(basename(library), library)
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
    command(tool) {
      const { loader } = programs.get(tool)!
      const program = `${CARRIED}/${tool}`
      // Named outright: a program that is linked in and asks what it is called (busybox) finds its name.
      return loader ? [`${CARRIED}/${basename(loader)}`, '--library-path', CARRIED, program] : [program]
    },
  }
}
