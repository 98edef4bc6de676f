/** An image's files for a pod with users of its own: its layers are as they are on disk, and show other owners. */
import { lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../../../../lib/run-tool.ts'
import { mountOverlay, type Overlay, unmount } from '../../overlay.ts'
import type { SandboxConfig } from '../../runtime.ts'
import { idMappedMounts } from './id-mapped.ts'

/** The users of a pod. */
export interface PodUsers {
  /** The id of this machine which their root is. */
  readonly base: number
  /** File of the pod's network namespace, which belongs to theirs. */
  readonly netns: string
}

/** Those of a sandbox; undefined where it has the machine's. */
export function podUsers({ userNamespace, netns }: SandboxConfig): PodUsers | undefined {
  const root = userNamespace?.find(({ containerId }) => containerId === 0)
  return root && netns !== undefined ? { base: root.hostId, netns } : undefined
}

/** Mounts `overlay` for them. `place` is an empty folder, in which nothing is left mounted; `perl` the machine's. */
export async function mountForUsers(
  { folder, layers, ...overlay }: Overlay,
  { netns }: PodUsers,
  place: string,
  perl: string,
): Promise<void> {
  const names = layers.map((_, at) => String(at))
  for (const name of names) mkdirSync(join(place, name))
  const mounts = layers.map((layer, at) => ({ from: join(folder, layer), to: join(place, names[at]!) }))
  try {
    const [program, ...args] = idMappedMounts(perl, netns, mounts)
    await runTool(program!, args)
    await mountOverlay({ ...overlay, folder: place, layers: names })
  } finally {
    // The overlay has what it needs by now.
    for (const { to } of mounts) await unmount(to)
  }
}

/** Gives what the machine's root has made in a folder, and the folder, to theirs. */
export function giveToUsers(folder: string, base: number): void {
  const found = lstatSync(folder)
  if (found.uid === 0 || found.gid === 0) lchownSync(folder, found.uid || base, found.gid || base)
  if (!found.isDirectory()) return
  for (const name of readdirSync(folder)) giveToUsers(join(folder, name), base)
}
