/** What the process driver keeps on disk, in `runtime/` of a pod's folder, to find its workloads again. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig, SandboxConfig } from '../runtime.ts'
import type { ImageState } from './image-container.ts'
import type { ProcessRef } from './proc.ts'
import type { Filter } from './seccomp/install.ts'

export interface SandboxState {
  readonly id: string
  readonly config: SandboxConfig
  readonly createdAt: number
  readonly bootId: string
  readonly stopped: boolean
}

/** Everything but the environment: it may hold secrets, and a running process knows its own. */
export interface ContainerState {
  readonly id: string
  readonly config: Omit<ContainerConfig, 'env'>
  readonly createdAt: number
  /** Control group, relative to the node's. */
  readonly cgroup: string
  /** Absent: it runs on the machine's own files. */
  readonly image?: ImageState
  /** Of the seccomp profile of its own. */
  readonly filter?: Filter
  /** It could not be started, and why. */
  readonly failure?: string
}

/** Written whole or not at all, for its owner only. */
export function save(file: string, value: object) {
  writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Folders of sandboxes below the folder of pods. */
export function sandboxFolders(podsDirectory: string): string[] {
  if (!existsSync(podsDirectory)) return []
  return readdirSync(podsDirectory)
    .map(uid => join(podsDirectory, uid, 'runtime'))
    .filter(folder => existsSync(join(folder, 'sandbox.json')))
}

/** Name, attempt and the beginning of an id. */
const CONTAINER_FOLDER = /-\d+-[0-9a-f]{8}$/

/** Container folders of a sandbox. */
export const containerFolders = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && CONTAINER_FOLDER.test(entry.name))
    .map(entry => join(folder, entry.name))

/** Reserves the place of the exit code. */
export const reserveExit = (folder: string) => writeFileSync(join(folder, 'exit'), `${' '.repeat(15)}\n`)

/** The exit code that the supervisor left and when; undefined while there is none. */
export function readExit(folder: string): { code: number; at: number } | undefined {
  try {
    const file = join(folder, 'exit')
    const match = /^(\d+)\n/.exec(readFileSync(file, 'utf8'))
    return match ? { code: Number(match[1]), at: Math.round(statSync(file).mtimeMs) } : undefined
  } catch {
    return undefined
  }
}

/** The process that a script has noted in a file, as its pid and start; undefined where none is. */
export function readRef(file: string): ProcessRef | undefined {
  try {
    const [pid, start = ''] = readFileSync(file, 'utf8').trimEnd().split(' ')
    return pid ? { pid: Number(pid), start } : undefined
  } catch {
    return undefined
  }
}

/** Supervisor and main process, and when they were started; undefined before. */
export function readPids(folder: string): { supervisor: ProcessRef; main: ProcessRef; at: number } | undefined {
  try {
    const file = join(folder, 'pid')
    const [a, b, c, d] = readFileSync(file, 'utf8').trimEnd().split(' ')
    if (!a || !c) return undefined
    const at = Math.round(statSync(file).mtimeMs)
    return { supervisor: { pid: Number(a), start: b ?? '' }, main: { pid: Number(c), start: d ?? '' }, at }
  } catch {
    return undefined
  }
}

/** When a container began: not before it was made, though the kernel dates files by a clock that is a little behind. */
export const startOf = ({ createdAt }: ContainerState, pids?: { readonly at: number }): number =>
  Math.max(pids?.at ?? createdAt, createdAt)

export const removeFolder = (folder: string) => rmSync(folder, { recursive: true, force: true })
