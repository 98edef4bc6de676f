/**
 * User-mode Linux: a kernel that runs as an ordinary program, for machines whose processor or hypervisor lends no
 * virtual ones. Debian's own (package user-mode-linux) is built without nftables for IP, so one is built here from
 * Debian's source of the kernel (package linux-source): about ten minutes of one core, once.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { findTool, mustRun } from './tools.ts'

const SOURCES = '/usr/src'
const fragment = join(import.meta.dirname, 'kernel.config')

const archive = (): string | undefined => {
  try {
    return readdirSync(SOURCES).find(name => /^linux-source-[\d.]+\.tar\.xz$/.test(name))
  } catch {
    return undefined
  }
}

/** What is missing to build it; undefined when nothing is. */
export const kernelMissing = (): string | undefined =>
  !archive()
    ? 'there is no source of the kernel: apt install linux-source'
    : ['make', 'gcc', 'flex', 'bison', 'bc', 'tar'].find(tool => !findTool(tool)) &&
      'apt install build-essential flex bison bc'

/** Resolves with the path of the program that is the kernel. */
export async function openKernel(): Promise<string> {
  const source = archive()!
  const folder = await cached('kernel', [source, readFileSync(fragment, 'utf8')], async place => {
    const tree = join(place, 'tree')
    await mustRun('mkdir', [tree])
    await mustRun('tar', ['-xf', join(SOURCES, source), '-C', tree, '--strip-components=1'])
    const env = { ...process.env, ARCH: 'um' }
    await mustRun('scripts/kconfig/merge_config.sh', ['-n', '/dev/null', fragment], { cwd: tree, env })
    await mustRun('make', [`-j${availableParallelism()}`, 'linux'], { cwd: tree, env })
    await mustRun('mv', [join(tree, 'linux'), join(place, 'linux')])
    await mustRun('rm', ['-rf', tree])
  })
  return join(folder, 'linux')
}
