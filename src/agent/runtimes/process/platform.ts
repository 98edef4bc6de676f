/** What this machine allows a process driver to do, found out once when it opens. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { systemProgram } from '../../../lib/system-program.ts'
import { type Cgroups, openCgroups } from '../../cgroups/cgroups.ts'

export interface Platform {
  /** Mount, host name and pid namespaces may be made (root, or root of a user namespace). */
  readonly namespaces: boolean
  /** Users may be changed. */
  readonly root: boolean
  /** The kernel labels processes and files. */
  readonly seLinux: boolean
  /** Programs by name; undefined where the machine has none. */
  readonly tools: Readonly<Partial<Record<Tool, string>>>
  readonly cgroups: Cgroups | undefined
}

export type Tool = 'nsenter' | 'unshare' | 'setpriv' | 'script' | 'stty' | 'mount' | 'perl'

const TOOLS: readonly Tool[] = ['nsenter', 'unshare', 'setpriv', 'script', 'stty', 'mount', 'perl']

/** Looks at the machine. `cgroupRoot` is this node's folder in every hierarchy; some 5 ms. */
export function findPlatform(options: { cgroupRoot: string; namespaces?: boolean }): Platform {
  const tools: Partial<Record<Tool, string>> = {}
  for (const name of TOOLS) {
    const path = systemProgram(name)
    if (path) tools[name] = path
  }
  const linux = process.platform === 'linux'
  const root = process.getuid?.() === 0
  const wanted = options.namespaces ?? true
  const namespaces = wanted && linux && root && tools.nsenter !== undefined && canUnshare(tools.unshare)
  const seLinux = existsSync('/sys/fs/selinux/enforce')
  return { namespaces, root, seLinux, tools, cgroups: linux ? openCgroups(options.cgroupRoot) : undefined }
}

/** Tries it, as rights depend on more than the user: seccomp, user namespaces, masked /proc. */
function canUnshare(unshare: string | undefined): boolean {
  if (!unshare) return false
  const args = ['-m', '-u', '-p', '-f', '/bin/sh', '-c', '/bin/mount -n -t proc proc /proc']
  return spawnSync(unshare, args, { stdio: 'ignore' }).status === 0
}

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Whether `command` can be found, in the words of container runtimes when not. `map` turns a path of the container
 * into one of this machine.
 */
export function commandProblem(
  command: string,
  path: string,
  workingDir: string,
  map: (path: string) => string,
): string | undefined {
  if (command.includes('/')) {
    const file = map(isAbsolute(command) ? command : join(workingDir, command))
    if (executable(file)) return undefined
    const detail = !existsSync(file)
      ? `stat ${command}: no such file or directory`
      : statSync(file).isDirectory()
        ? 'is a directory'
        : 'permission denied'
    return `exec: ${JSON.stringify(command)}: ${detail}`
  }
  if (path.split(delimiter).some(dir => executable(map(join(dir || '.', command))))) return undefined
  return `exec: ${JSON.stringify(command)}: executable file not found in $PATH`
}

/** Group and home of a user of this machine. */
export function passwdEntry(uid: number): { gid: number; home: string } | undefined {
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const fields = line.split(':')
      if (fields[2] === String(uid)) return { gid: Number(fields[3]), home: fields[5] || '/' }
    }
  } catch {
    // No such file: nobody is known.
  }
  return undefined
}
