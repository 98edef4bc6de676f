/**
 * Folders of this node that stand for PersistentVolumes of the class `local-path`. They are made and removed at the
 * word of the provisioner (controllers/local-path), which is the only one who may ask for it.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { badRequest } from '../api/machinery/status-error.ts'
import { removeTree } from '../lib/mounts.ts'
import { type FolderLimits, keepsQuotas, openFolderLimits } from './disk/project-quota.ts'

export interface LocalVolumes {
  /**
   * Makes sure that a volume's folder is there, bounded to its size where the file system keeps quotas; resolves with its
   * path. What is in it stays.
   */
  make(name: string, bytes?: number): Promise<string>
  /** Removes a volume with all that is in it; nothing to do where there is none. */
  remove(name: string): Promise<void>
}

/** One folder below ours, and no other. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,254}$/

/** Volumes below `directory`, which is made with the first one. */
export function createLocalVolumes(directory: string): LocalVolumes {
  let opened: FolderLimits | undefined
  const limits = () => {
    if (!keepsQuotas(directory)) return undefined
    opened ??= openFolderLimits(directory)
    return opened
  }
  const place = (name: string) => {
    if (NAME.test(name)) return join(directory, name)
    throw badRequest(`${JSON.stringify(name)} is not the name of a volume`)
  }
  return {
    async make(name, bytes) {
      const path = place(name)
      const made = await mkdir(path, { recursive: true, mode: 0o755 })
      // Whoever runs in the pod may write; who else may enter the data folder is decided above.
      if (made !== undefined) await chmod(path, 0o777)
      if (bytes !== undefined) await limits()?.set(path, bytes)
      return path
    },
    async remove(name) {
      const path = place(name)
      const leaving = join(directory, `.removed-${name}`.slice(0, 255))
      // At once out of everyone's sight: removing much takes long, and may be interrupted.
      if (existsSync(path)) {
        await limits()?.forget(path)
        await removeTree(leaving)
        await rename(path, leaving)
      }
      await removeTree(leaving)
    },
  }
}
