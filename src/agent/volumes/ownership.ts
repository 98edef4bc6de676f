/** Gives a volume to a pod's group (API doc: PodSecurityContext.fsGroup, fsGroupChangePolicy). */
import type { Stats } from 'node:fs'
import { chmod, lchown, lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'

const SETGID = 0o2000
const WRITER = 0o660
const READER = 0o440
const ENTER = 0o110

/** Permission bits that members of the group get, beside what is there. */
export const groupMode = (isDirectory: boolean, readOnly: boolean): number =>
  (readOnly ? READER : WRITER) | (isDirectory ? SETGID | ENTER : 0)

/** The root of the volume has its group and bits already, and the pod says that this is enough. */
function isSettled(root: Stats, group: number, policy: string | undefined, readOnly: boolean): boolean {
  const bits = groupMode(true, readOnly)
  return policy === 'OnRootMismatch' && root.isDirectory() && root.gid === group && (root.mode & bits) === bits
}

/** Calls `visit` for everything below a path, folders after what is in them; links are not followed. */
async function walk(path: string, visit: (path: string, stats: Stats) => Promise<void>): Promise<void> {
  const stats = await lstat(path)
  if (stats.isDirectory()) {
    for await (const entry of await opendir(path)) await walk(join(path, entry.name), visit)
  }
  await visit(path, stats)
}

/**
 * Makes everything in a volume belong to the pod's fsGroup and open to it; nothing to do for pods without one. What
 * vanishes meanwhile is passed over; throws when the group may not be given.
 */
export async function giveToGroup(path: string, pod: Pod, readOnly: boolean): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {}
  if (fsGroup === undefined || isSettled(await lstat(path), fsGroup, fsGroupChangePolicy, readOnly)) return
  await walk(path, async (each, stats) => {
    try {
      if (stats.gid !== fsGroup) await lchown(each, stats.uid, fsGroup)
      // The bits of a link are those of what it leads to.
      const mode = (stats.mode & 0o7777) | groupMode(stats.isDirectory(), readOnly)
      if (!stats.isSymbolicLink() && (mode !== (stats.mode & 0o7777) || stats.gid !== fsGroup)) await chmod(each, mode)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  })
}
