/** How much of the disk files take. */
import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { allContainers } from '../pod/object.ts'
import type { PodWorker } from '../pod/worker.ts'
import { emptyDirVolume } from '../volumes/empty-dir.ts'
import type { DiskUsage } from './limits.ts'

const BLOCK = 512

/**
 * Bytes on disk of everything below the paths; files with several names count once, other file systems and what cannot
 * be read not at all. One look-up at a time: it is in nobody's way, and takes as long as it takes.
 */
export async function diskBytes(...paths: readonly string[]): Promise<number> {
  const seen = new Set<number>()
  let total = 0
  async function add(path: string, device: number | undefined): Promise<void> {
    const stats = await lstat(path).catch(() => undefined)
    if (!stats || (device !== undefined && stats.dev !== device)) return
    if (stats.nlink > 1 && !stats.isDirectory()) {
      if (seen.has(stats.ino)) return
      seen.add(stats.ino)
    }
    total += stats.blocks * BLOCK
    if (!stats.isDirectory()) return
    const entries: Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) await add(join(path, entry.name), stats.dev)
  }
  for (const path of paths) await add(path, undefined)
  return total
}

/** Measures a pod whose folder this is. */
export async function measurePod(pod: Pod, worker: PodWorker, directory: string): Promise<DiskUsage> {
  const volumes = new Map<string, number>()
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    if (!emptyDir || emptyDir.medium === 'Memory') continue
    volumes.set(name, await diskBytes(join(directory, 'volumes', emptyDirVolume.folder, name)))
  }
  const containers = new Map<string, number>()
  const driver = worker.place()?.driver
  let layers = 0
  for (const { name } of allContainers(pod)) {
    let bytes = 0
    for (const { id } of worker.instances(name) ?? []) {
      const found = await driver?.disk?.(id).catch(() => undefined)
      if (!found) continue
      layers += found.bytes
      bytes += found.bytes + (await diskBytes(...found.folders))
    }
    containers.set(name, bytes)
  }
  const total = [...volumes.values(), ...containers.values()].reduce((sum, each) => sum + each, 0)
  return { volumes, containers, total, layers }
}
