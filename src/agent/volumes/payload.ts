/**
 * Files that change together: they stand in a folder of their own, `..data` is a link to it, and each visible name a
 * link through `..data`. One rename replaces all of them, so a reader never sees a mixture.
 */

import { chmod, chown, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { KeyToPath } from '../../api/generated/types/core-v1.ts'
import { groupMode } from './ownership.ts'
import { type VolumeContext, VolumeError } from './volume.ts'

export interface PayloadFile {
  readonly data: Uint8Array
  readonly mode: number
}

/** By path relative to the volume. */
export type Payload = Map<string, PayloadFile>

const DATA = '..data'

/** The payload that stands there now equals `payload`. */
async function same(directory: string, current: string | undefined, payload: Payload): Promise<boolean> {
  if (!current) return false
  const files = (await readdir(join(directory, current), { recursive: true, withFileTypes: true })).filter(f =>
    f.isFile(),
  )
  if (files.length !== payload.size) return false
  for (const [path, { data }] of payload) {
    const there = await readFile(join(directory, current, path)).catch(() => undefined)
    if (!there?.equals(data)) return false
  }
  return true
}

/**
 * Replaces the content of a volume's folder in one step; nothing is written where it is the same. Files belong to the
 * pod's fsGroup where it has one, and are open to it.
 */
export async function writePayload({ directory, pod }: Pick<VolumeContext, 'directory' | 'pod'>, payload: Payload) {
  const group = pod.spec?.securityContext?.fsGroup
  await makeFolder(directory, group)
  const current = await readlink(join(directory, DATA)).catch(() => undefined)
  if (!(await same(directory, current, payload))) {
    const stamp = new Date().toISOString().replace(/[-:T]/g, '_').slice(0, 19)
    const fresh = `..${stamp}.${Math.random().toString().slice(2, 12)}`
    try {
      await makeFolder(join(directory, fresh), group)
      for (const [path, file] of payload) await writeOne(join(directory, fresh), path, file, group)
      await rm(join(directory, '..data_tmp'), { force: true })
      await symlink(fresh, join(directory, '..data_tmp'))
      await rename(join(directory, '..data_tmp'), join(directory, DATA))
    } catch (error) {
      await rm(join(directory, fresh), { recursive: true, force: true })
      throw error
    }
    // The former content, and what a crash left.
    for (const name of await readdir(directory)) {
      if (!name.startsWith('..') || name === DATA || name === fresh) continue
      await rm(join(directory, name), { recursive: true, force: true })
    }
  }
  await linkNames(directory, payload)
}

async function makeFolder(path: string, group: number | undefined) {
  const made = await mkdir(path, { recursive: true, mode: 0o755 })
  if (made === undefined || group === undefined) return
  await chown(path, -1, group)
  await chmod(path, 0o755 | groupMode(true, true))
}

async function writeOne(folder: string, path: string, { data, mode }: PayloadFile, group: number | undefined) {
  let parent = folder
  for (const name of path.split('/').slice(0, -1)) await makeFolder((parent = join(parent, name)), group)
  const file = join(folder, path)
  await writeFile(file, data, { mode: 0o600 })
  if (group !== undefined) await chown(file, -1, group)
  await chmod(file, group === undefined ? mode : mode | groupMode(false, true))
}

async function linkNames(directory: string, payload: Payload) {
  const names = new Set([...payload.keys()].map(path => path.split('/')[0]!))
  const there = await readdir(directory)
  for (const name of there)
    if (!name.startsWith('..') && !names.has(name)) await rm(join(directory, name), { force: true })
  for (const name of names) if (!there.includes(name)) await symlink(join(DATA, name), join(directory, name))
}

/** A path of a file in a volume; throws for one that would leave it. */
export function safePath(path: string): string {
  const normal = posix.normalize(path)
  if (posix.isAbsolute(path) || normal.startsWith('..') || path.split('/').includes('..')) {
    throw new VolumeError(`invalid path, must be relative path and must not contain '..': ${path}`)
  }
  return normal
}

/**
 * Picks files out of an object's data: all of it, or `items`. `missing` names the object's sort in the message for a
 * key that is not there (`configmap`, `secret`).
 */
export function pickFiles(
  data: Readonly<Record<string, Uint8Array>>,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  optional: boolean,
  missing: string,
): Payload {
  const payload: Payload = new Map()
  if (!items?.length) {
    for (const [key, value] of Object.entries(data)) payload.set(key, { data: value, mode: defaultMode })
    return payload
  }
  for (const { key, path, mode } of items) {
    const value = data[key]
    if (value) payload.set(safePath(path), { data: value, mode: mode ?? defaultMode })
    else if (!optional) throw new VolumeError(`references non-existent ${missing} key: ${key}`)
  }
  return payload
}
