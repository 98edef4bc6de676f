/** Mounts of this machine, and the removal of folders in which something may be mounted. */
import { lstatSync, readFileSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { runTool } from './run-tool.ts'

/** mountinfo's escapes of blanks and backslashes (proc_pid_mountinfo(5)). */
const plain = (field: string) =>
  field.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))

/** The kernel's table of mounts, in the order in which they were made; empty where the machine does not tell. */
function tableLines(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

const pointOf = (line: string) => plain(line.split(' ', 5)[4] ?? '')

/** Mount points in the order in which they were made. */
export const mountPoints = (): string[] => tableLines().map(pointOf)

export interface Mounted {
  readonly point: string
  /** Of this mount, such as `nosuid`. */
  readonly flags: readonly string[]
  /** Of the file system itself, such as `prjquota`. */
  readonly options: readonly string[]
}

/** What is mounted where a path lies. */
export function mountOf(path: string): Mounted | undefined {
  const place = real(path)
  let found: Mounted | undefined
  for (const line of tableLines()) {
    const point = pointOf(line)
    const holds = point === '/' || place === point || place.startsWith(`${point}/`)
    // A later one hides an earlier one at the same place.
    if (!holds || (found && found.point.length > point.length)) continue
    const [mounted = '', system = ''] = line.split(' - ')
    const list = (fields: string, at: number) => fields.split(' ')[at]?.split(',') ?? []
    found = { point, flags: list(mounted, 5), options: list(system, 2) }
  }
  return found
}

/** Nothing that lies there is executed by the kernel. */
export const isNoExec = (path: string): boolean => mountOf(path)?.flags.includes('noexec') ?? false

/** The path as the kernel's table has it: free of links. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Something is mounted at exactly this path. */
export const isMounted = (path: string): boolean => mountPoints().includes(real(path))

/** Mount points at or below a folder, the last made first. */
export function mountsBelow(directory: string): string[] {
  const root = real(directory)
  return mountPoints()
    .filter(point => point === root || point.startsWith(`${root}/`))
    .reverse()
}

/** Mounts; `args` as of mount(8). Rejects with what the program says. */
export const mount = (...args: readonly string[]): Promise<void> => runTool('mount', ['-n', ...args])

/** Unmounts a path, also when it is in use; nothing to do when nothing is mounted there. */
export async function unmount(path: string): Promise<void> {
  while (isMounted(path)) await runTool('umount', ['-l', path])
}

/** Nothing is there; false where that cannot be told, as at a mount whose server is gone. */
function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}

/**
 * Removes a folder with whatever is mounted in it. What is mounted is let go, never removed: it may be somebody's data.
 * Throws, and removes nothing, when a mount cannot be undone. The table of mounts, which takes a millisecond where there
 * are many, is read only for folders that are there, and again only where something was let go.
 */
export async function removeTree(directory: string): Promise<void> {
  if (isMissing(directory)) return
  const points = mountsBelow(directory)
  for (const point of points) await runTool('umount', ['-l', point])
  const left = points.length > 0 ? mountsBelow(directory) : []
  if (left.length > 0) throw new Error(`cannot remove ${directory}: ${left[0]} is still mounted`)
  await rm(directory, { recursive: true, force: true })
}
