/** Finds what containers need on this machine: containerd, its shim and client, and runc. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { programOutput } from '../../../lib/program-output.ts'
import { completePath } from '../../../lib/system-program.ts'

export interface Programs {
  readonly containerd: string
  /** containerd's own client, for importing images. */
  readonly ctr: string
  /** `1.6.20`. */
  readonly version: string
  /** PATH with the folders in which they are. */
  readonly path: string
}

/** It says its version within this time (ms), also on a machine that is busy with its own start. */
const ANSWER_MS = 60_000
/** The oldest whose CRI is v1. */
const OLDEST = [1, 6] as const

/** Where a program is; undefined when it is nowhere on `path`, written as PATH is. */
export function findProgram(name: string, path: string): string | undefined {
  for (const folder of path.split(':')) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}

/** What stands in the way of containers, or the programs. `path` is PATH. */
export async function findPrograms(path: string): Promise<Programs | { readonly missing: string }> {
  const all = completePath(path)
  for (const name of ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'])
    if (!findProgram(name, all)) return { missing: `there is no ${name} on PATH` }
  const containerd = findProgram('containerd', all)!
  let text: string
  try {
    text = await programOutput(containerd, ['--version'], { timeoutMs: ANSWER_MS })
  } catch (error) {
    return { missing: `${containerd} does not run: ${(error as Error).message}` }
  }
  const version = /\bv?(\d+\.\d+\.\d+[^\s~]*)/.exec(text)?.[1] ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    return { missing: `${containerd} is ${version || text.trim()}: containerd ${OLDEST.join('.')} or newer is needed` }
  return { containerd, ctr: findProgram('ctr', all)!, version, path: all }
}
