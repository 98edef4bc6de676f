/**
 * The files of a container that runs an image: the image's layers with the container's own changes above, /dev, /proc
 * and /sys of its own, its volumes and the pod's files. Everything that must be there to be mounted on is made before,
 * from outside, where no link of the image can lead out of it; the supervisor then mounts and changes root for good.
 */
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { resolveIn } from '../../images/rooted.ts'
import { overlayOptions } from '../overlay.ts'
import { RuntimeError } from '../runtime.ts'
import { CARRIED, type CarriedTools } from './carried-tools.ts'
import { type Bind, bindLines, bindWith, mountLine, quoted } from './mounts.ts'
import type { IdMapped } from './users/id-mapped.ts'

/** The group of terminals, by custom. */
const TTY_GROUP = 5
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']
const LINKS = {
  fd: '/proc/self/fd',
  stdin: 'fd/0',
  stdout: 'fd/1',
  stderr: 'fd/2',
  core: '/proc/kcore',
  ptmx: 'pts/ptmx',
}
/** What tells of the machine rather than of the container, as every runtime hides it (OCI runtime defaults). */
const MASKED = [
  'asound',
  'acpi',
  'interrupts',
  'kcore',
  'keys',
  'latency_stats',
  'timer_list',
  'timer_stats',
  'sched_debug',
  'scsi',
]
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']

export interface ImageRootRequest {
  /** The container's own folder. */
  readonly folder: string
  /** Where the layers are mounted. */
  readonly root: string
  /** Volumes and files of the pod. */
  readonly binds: readonly Bind[]
  readonly tools: Pick<CarriedTools, 'folder' | 'noExec'>
  /** It has process ids of its own. */
  readonly newProc: boolean
  readonly readOnly: boolean
  readonly privileged: boolean
  /** Groups of the machine's users may be named (there is more than one user). */
  readonly owners: boolean
  /** Folder of this machine that is /dev/shm. */
  readonly shm: string
  /** This container's control groups: folders of the machine, by what they are called below /sys/fs/cgroup. */
  readonly cgroups: Readonly<Record<string, string>>
  /** The id of this machine which the pod's root is, where it has users of its own. */
  readonly base?: number | undefined
}

export interface ImageMounts {
  /** Lines for `mount -a -T`, in order. */
  readonly table: string
  /** What is to be mounted after them where the pod has users of its own. */
  readonly mapped: readonly IdMapped[]
  /** To change to. */
  readonly root: string
}

/** Makes a mount point like `from`. */
function makePoint(path: string, from: string) {
  if (existsSync(path)) return
  if (statSync(from).isDirectory()) mkdirSync(path, { recursive: true })
  else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
  }
}

/** The container's /dev: devices of the machine by name, and nothing else of it. */
function makeDev(folder: string): string {
  const dev = join(folder, 'dev')
  mkdirSync(dev, { mode: 0o755 })
  for (const name of DEVICES) writeFileSync(join(dev, name), '')
  for (const name of ['pts', 'shm', basename(CARRIED)]) mkdirSync(join(dev, name))
  for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(dev, name))
  return dev
}

/** Plans the mounts and makes what they need. Throws `RuntimeError` for a source that is missing. */
export function planImageMounts(request: ImageRootRequest): ImageMounts {
  const { folder, root, binds, tools, newProc, readOnly, privileged, owners, cgroups, base } = request
  const lines: string[] = []
  // A mount of its own, as `mount -a` takes one of a place upon itself for there already.
  const seen = readOnly ? join(folder, 'view') : root
  if (readOnly) {
    mkdirSync(seen)
    lines.push(mountLine(root, seen, 'bind,ro,nodev'))
  }
  const inRoot = (path: string) => join(seen, path)
  for (const path of ['/dev', '/proc', '/sys']) mkdirSync(resolveIn(root, path), { recursive: true, mode: 0o755 })
  const dev = makeDev(folder)
  /** What is mounted where by now: points below it are made in it, not in what it hides. */
  const places: { at: string; from: string }[] = [
    { at: '/', from: root },
    { at: '/dev', from: dev },
  ]
  const within = (path: string, at: string) => path === at || path.startsWith(at === '/' ? '/' : `${at}/`)

  const volumes: string[] = []
  const mapped: IdMapped[] = []
  const sorted = [...binds].sort((a, b) => a.to.split('/').length - b.to.split('/').length || (a.to < b.to ? -1 : 1))
  for (const bind of sorted) {
    if (!existsSync(bind.from)) {
      throw new RuntimeError('CreateContainerError', `cannot mount ${bind.from} at ${bind.to}: it does not exist`)
    }
    const named = join('/', bind.to)
    // Links of the image hold for what is mounted into it: /var/run leads to /run.
    const at = join('/', resolveIn(root, named).slice(root.length))
    const outer = places.findLast(each => within(at, each.at) && at !== each.at) ?? places[0]!
    if (statSync(outer.from).isDirectory()) makePoint(resolveIn(outer.from, at.slice(outer.at.length)), bind.from)
    if (base === undefined || bind.asItIs) volumes.push(...bindLines(bind, inRoot(at)))
    else mapped.push({ ...bind, to: inRoot(at) })
    places.push({ at, from: bind.from })
  }

  lines.push(
    newProc
      ? `pod-proc ${quoted(inRoot('/proc'))} proc nosuid,nodev,noexec 0 0\n`
      : mountLine('/proc', inRoot('/proc'), 'rbind'),
  )
  lines.push(mountLine(dev, inRoot('/dev'), bindWith('nosuid', dev)))
  for (const name of DEVICES) lines.push(mountLine(`/dev/${name}`, inRoot(`/dev/${name}`), 'bind'))
  const terminals = `newinstance,ptmxmode=0666,mode=0620${owners ? `,gid=${(base ?? 0) + TTY_GROUP}` : ''},nosuid,noexec`
  lines.push(`pod-pts ${quoted(inRoot('/dev/pts'))} devpts ${terminals} 0 0\n`)
  lines.push(mountLine(request.shm, inRoot('/dev/shm'), 'bind'))
  lines.push(toolsLine(folder, tools, inRoot(CARRIED)))
  lines.push(`pod-sys ${quoted(inRoot('/sys'))} sysfs nosuid,nodev,noexec${privileged ? '' : ',ro'} 0 0\n`)
  lines.push(...cgroupLines(folder, inRoot('/sys/fs/cgroup'), cgroups))
  if (!privileged && newProc) lines.push(...maskingLines(folder, inRoot))
  return { table: [...lines, ...volumes].join(''), mapped, root: seen }
}

/**
 * Without root a mount cannot be made read-only but with all that its original has: systemd mounts the groups with
 * these, /dev with the first, and folders of users may be with any of them.
 */
const STRICTLY_READ_ONLY = 'bind,ro,nosuid,nodev,noexec'

/** A process reads its limits where it always does, and sees no other's. */
function cgroupLines(folder: string, at: string, cgroups: Readonly<Record<string, string>>): string[] {
  if (cgroups['']) return [mountLine(cgroups[''], at, STRICTLY_READ_ONLY)]
  const names = Object.keys(cgroups)
  if (names.length === 0) return []
  const place = join(folder, 'cgroup')
  mkdirSync(place)
  for (const name of names) mkdirSync(join(place, name))
  return [
    mountLine(place, at, 'bind'),
    ...names.map(name => mountLine(cgroups[name]!, join(at, name), STRICTLY_READ_ONLY)),
  ]
}

/** An empty folder of the container's. */
function makeNothing(folder: string): string {
  const empty = join(folder, 'nothing')
  mkdirSync(empty, { mode: 0o555, recursive: true })
  return empty
}

/** Files of a layer can be executed, wherever it lies; without one to be changed there must be two of them. */
function toolsLine(folder: string, tools: ImageRootRequest['tools'], at: string): string {
  const flags = ['ro', 'nosuid', 'nodev']
  if (!tools.noExec) return mountLine(tools.folder, at, ['bind', ...flags].join())
  const options = overlayOptions([makeNothing(folder), tools.folder], flags)
  return `pod-tools ${quoted(at)} overlay ${quoted(options)} 0 0\n`
}

function maskingLines(folder: string, inRoot: (path: string) => string): string[] {
  const empty = makeNothing(folder)
  const present = new Set(readdirSync('/proc'))
  const masked = MASKED.filter(name => present.has(name)).map(name => `/proc/${name}`)
  if (existsSync('/sys/firmware')) masked.push('/sys/firmware')
  return [
    ...masked.map(path =>
      statSync(path).isDirectory()
        ? mountLine(empty, inRoot(path), STRICTLY_READ_ONLY)
        : mountLine('/dev/null', inRoot(path), 'bind,ro,nosuid,noexec'),
    ),
    ...READ_ONLY.filter(name => present.has(name)).map(name =>
      mountLine(inRoot(`/proc/${name}`), inRoot(`/proc/${name}`), 'bind,ro'),
    ),
  ]
}
