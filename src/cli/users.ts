/**
 * The users of a rootless cluster, as DATA_DIR/users.json has them: files of its images and volumes belong to
 * subordinate ids, with which only a namespace of the same users can do something.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile, writeFileAtomic } from '../lib/atomic-file.ts'
import { startAsRoot } from '../lib/subordinate-ids.ts'
import type { IdMaps } from '../lib/user-namespace.ts'
import { UserError } from './context.ts'

const usersFile = (dataDir: string) => join(dataDir, 'users.json')

/** Those whose files may be in a data directory; undefined where all is its user's. */
export const readUsers = (dataDir: string): IdMaps | undefined => readJsonFile<IdMaps>(usersFile(dataDir))

/** Notes them, before the first file of theirs is made. */
export const keepUsers = (dataDir: string, users: IdMaps): void =>
  writeFileAtomic(usersFile(dataDir), `${JSON.stringify(users)}\n`)

/** Folder of a data directory with the images that are run without a container runtime. */
export const IMAGE_STORE = 'image-store'

/** What pods and images write: folders that only root may change, and files of users that only the cluster has. */
const OF_PODS = [IMAGE_STORE, 'pods', 'volumes']

/**
 * Removes folders of a rootless cluster's data directory, as root of a namespace with its users. Nothing to do for root.
 * Rejects with a `UserError`.
 */
export async function removeAsRoot(dataDir: string, names: readonly string[] = OF_PODS): Promise<void> {
  const folders = names.map(name => join(dataDir, name)).filter(existsSync)
  if (process.getuid?.() === 0 || folders.length === 0) return
  const failed = (why: string) =>
    new UserError(`${folders.join(' and ')} cannot be removed: ${why}`, `As root: rm -r ${folders.join(' ')}`)
  const maps = readUsers(dataDir)
  const child = await startAsRoot(maps, [], ['rm', '-rf', '--one-file-system', '--', ...folders]).catch(
    (error: Error) => {
      // Without namespaces nothing was ever written by another user.
      if (maps) throw failed(error.message)
    },
  )
  if (!child) return
  let said = ''
  child.stderr.on('data', text => (said += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw failed(said.trim())
}
