/**
 * What a process sees where. It has the machine's files, and its volumes at their places in a mount namespace of its
 * own. A mount needs something to be mounted on: where that is missing, the nearest folder that exists is replaced,
 * for this process alone, by a skeleton (a folder in the pod's own with the same entries, each bound to the original)
 * in which the missing part was made. So nothing is left on the machine, and writes outside volumes reach its files.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, posix, relative } from 'node:path'
import { mountOf, mountsBelow } from '../../../lib/mounts.ts'
import { inUserNamespace } from '../../../lib/user-namespace.ts'
import { RuntimeError } from '../runtime.ts'

/** One thing to be seen at a place. */
export interface Bind {
  readonly from: string
  readonly to: string
  readonly readOnly: boolean
  /** Nothing in it can be executed. */
  readonly noExec?: boolean
  /** So is all that is mounted below it. */
  readonly recursiveReadOnly?: boolean
  /** With what is mounted below it. */
  readonly recursive?: boolean
  /** Of a kind whose owners cannot be shown as others: a device, or an image's files. */
  readonly asItIs?: boolean
}

export interface MountPlan {
  /** Lines for `mount -a -T`, in order. */
  readonly table: string
  /** To change root to; undefined: the machine's. */
  readonly root: string | undefined
}

/** fstab's escapes of blanks and backslashes. */
export const quoted = (path: string) =>
  path.replace(/[\\ \t\n]/g, char => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)

const STRICT = ['nosuid', 'nodev', 'noexec']

/**
 * Options of a mount that binds `from` with a flag of its own. Without root of the machine the kernel takes that only
 * with all that the original has (mount_namespaces(7)): many machines mount the homes of users with some of these.
 */
export function bindWith(flag: 'ro' | 'nosuid', from: string, how: 'bind' | 'rbind' = 'bind'): string {
  const flags = inUserNamespace() ? (mountOf(from)?.flags ?? []) : []
  return [how, flag, ...STRICT.filter(each => flags.includes(each))].join()
}

/** Options of a mount that binds. */
function bindOptions(bind: Bind): string {
  const how = bind.recursive ? 'rbind' : 'bind'
  return [bind.readOnly ? bindWith('ro', bind.from, how) : how, ...(bind.noExec ? STRICT : [])].join()
}

/** Lines that bind something to `to`, and what is mounted below it once more, where that is to be read-only too. */
export const bindLines = (bind: Bind, to: string): string[] => {
  const whole = mountLine(bind.from, to, bindOptions(bind))
  if (!bind.recursiveReadOnly) return [whole]
  // The kernel's table knows no links.
  const from = realpathSync(bind.from)
  const below = mountsBelow(from).filter(point => point !== from)
  const again = (point: string) => mountLine(point, join(to, relative(from, point)), bindWith('ro', point))
  return [whole, ...below.reverse().map(again)]
}

/** A line of a mount table that binds `from` to `to`. */
export const mountLine = (from: string, to: string, options: string): string =>
  `${quoted(from)} ${quoted(to)} none ${options} 0 0\n`

const isDirectory = (path: string) => statSync(path).isDirectory()

/** The path with its existing part freed of symbolic links: what the kernel would mount on. */
function resolveExisting(path: string): string {
  const rest: string[] = []
  let at = path
  for (;;) {
    try {
      return join(realpathSync(at), ...rest)
    } catch {
      if (at === '/') return path
      rest.unshift(basename(at))
      at = dirname(at)
    }
  }
}

const within = (path: string, folder: string) => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

/** Makes a mount point of the same sort as `from`. */
function makePoint(path: string, from: string) {
  if (existsSync(path)) return
  if (isDirectory(from)) mkdirSync(path, { recursive: true })
  else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
  }
}

/** A folder that looks like `original`; what is to be bound into it is appended to `lines`. */
function makeSkeleton(original: string, place: string, lines: string[], readOnly: boolean) {
  mkdirSync(place, { recursive: true, mode: statSync(original).mode & 0o7777 })
  for (const entry of readdirSync(original, { withFileTypes: true })) {
    const from = join(original, entry.name)
    const to = join(place, entry.name)
    if (entry.isSymbolicLink()) {
      symlinkSync(readlinkSync(from), to)
      continue
    }
    if (entry.isDirectory()) mkdirSync(to)
    else writeFileSync(to, '')
    const kernel = original === '/' && ['dev', 'proc', 'sys'].includes(entry.name)
    lines.push(mountLine(from, to, readOnly && !kernel ? bindWith('ro', from, 'rbind') : 'rbind'))
  }
}

/**
 * Plans the mounts of one container. `staging` is an own, empty folder for skeletons. `newProc` mounts a fresh /proc,
 * for a pid namespace; with `readOnly` the machine's files cannot be written, but volumes can. Throws `RuntimeError` for a source that is missing.
 */
export function planMounts(
  binds: readonly Bind[],
  staging: string,
  { newProc, readOnly }: { readonly newProc: boolean; readonly readOnly: boolean },
): MountPlan {
  const lines: string[] = []
  const skeletons = new Map<string, string>()
  const planned: { at: string; from: string }[] = []
  let root: string | undefined
  const resolved = binds.map(bind => ({
    ...bind,
    to: resolveExisting(posix.normalize(bind.to).replace(/(.)\/+$/, '$1')),
  }))
  resolved.sort((a, b) => a.to.split('/').length - b.to.split('/').length || (a.to < b.to ? -1 : 1))

  if (readOnly) skeletons.set('/', '')
  // Skeletons come first: the outermost, so that no one hides another.
  for (const bind of resolved) {
    if (!existsSync(bind.from)) {
      throw new RuntimeError('CreateContainerError', `cannot mount ${bind.from} at ${bind.to}: it does not exist`)
    }
    if (
      existsSync(bind.to) ||
      resolved.some(other => other !== bind && other.to !== bind.to && within(bind.to, other.to))
    )
      continue
    let folder = dirname(bind.to)
    while (!existsSync(folder) || !lstatSync(folder).isDirectory()) folder = dirname(folder)
    if ([...skeletons.keys()].some(other => within(folder, other) && other === folder)) continue
    skeletons.set(folder, '')
  }
  for (const folder of [...skeletons.keys()].sort((a, b) => a.length - b.length)) {
    const place = join(staging, String(lines.length))
    makeSkeleton(folder, place, lines, readOnly)
    skeletons.set(folder, place)
    if (folder === '/') root = place
  }
  const inRoot = (path: string) => (root ? join(root, path) : path)
  for (const [folder, place] of skeletons) {
    if (folder === '/') continue
    for (const bind of resolved) {
      if (within(bind.to, folder)) makePoint(join(place, bind.to.slice(folder.length)), bind.from)
    }
    lines.push(mountLine(place, inRoot(folder), 'rbind'))
  }
  // A source of its own name: `mount -a` leaves out what stands there already, as the machine's /proc does.
  if (newProc) lines.push(`pod-proc ${quoted(inRoot('/proc'))} proc nosuid,nodev,noexec 0 0\n`)
  for (const bind of resolved) {
    const outer = planned.findLast(other => within(bind.to, other.at) && bind.to !== other.at)
    if (outer) makePoint(join(outer.from, bind.to.slice(outer.at.length)), bind.from)
    else if (root) makePoint(join(root, bind.to), bind.from)
    lines.push(...bindLines(bind, inRoot(bind.to)))
    planned.push({ at: bind.to, from: bind.from })
  }
  return { table: lines.join(''), root }
}
