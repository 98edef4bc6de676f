/**
 * Folders that an image says are volumes (`VOLUME`), as far as the pod mounts nothing there: they exist, can be written
 * to also where the image's own files cannot, and go with the container.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../../../lib/run-tool.ts'
import { resolveIn } from '../../images/rooted.ts'
import type { Bind } from './mounts.ts'

export interface ImageVolumesRequest {
  /** The container's own folder. */
  readonly folder: string
  /** Where the layers are mounted, to be written to. */
  readonly root: string
  /** As the image names them. */
  readonly paths: readonly string[]
  /** Where the pod mounts something. */
  readonly taken: readonly string[]
  readonly readOnly: boolean
}

/** Makes them. Returns what is to be mounted: folders with what the image has there, where its own are read-only. */
export async function makeImageVolumes({ folder, root, paths, taken, readOnly }: ImageVolumesRequest): Promise<Bind[]> {
  const binds: Bind[] = []
  for (const path of paths) {
    const to = join('/', path)
    if (to === '/' || taken.includes(to)) continue
    const from = resolveIn(root, to)
    if (!existsSync(from)) mkdirSync(from, { recursive: true })
    if (!readOnly) continue
    const own = join(folder, 'volumes', String(binds.length))
    mkdirSync(own, { recursive: true })
    await runTool('cp', ['-a', '--', `${from}/.`, own])
    // Owners are those on the disk already: what the pod's users see of the image.
    binds.push({ from: own, to, readOnly: false, asItIs: true })
  }
  return binds
}
