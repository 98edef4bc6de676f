/** Which users a cluster without root has: the one who starts it, and those that the machine gives him beside. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { importedNote } from '../agent/node/preload.ts'
import { UserError } from '../cli/context.ts'
import { IMAGE_STORE, keepUsers, readUsers, removeAsRoot } from '../cli/users.ts'
import { findSubordinateIds, formatRange, giveIds, type NoIds } from '../lib/subordinate-ids.ts'
import { holds, type IdMapping, type IdMaps } from '../lib/user-namespace.ts'

export interface Users {
  /** Absent: there is no other. */
  readonly maps?: IdMaps
  /** For `tutti status`. */
  readonly note: string
}

const rangesOf = (mappings: readonly IdMapping[]) =>
  mappings.slice(1).map(({ hostId, length }) => ({ first: hostId, length }))

const shown = (mappings: readonly IdMapping[]) => rangesOf(mappings).map(formatRange).join(', ')

/**
 * Finds them. `standing` are those of the namespace in which pods of an earlier start run, which stay. Rejects with a
 * `UserError` where files of the data directory belong to users who cannot be had any more.
 */
export async function findUsers(dataDir: string, standing: readonly IdMapping[] | undefined): Promise<Users> {
  const found = await findSubordinateIds()
  const before = readUsers(dataDir)
  if (before) checkBefore(before, found, dataDir)
  if ('missing' in found) {
    const remedy = found.remedy ? ` (as root: ${found.remedy}; then tutti down, tutti up)` : ''
    return { note: `pods have one user, root of their own, without subordinate ids: ${found.missing}${remedy}` }
  }
  const ranges = shown(found.uids)
  if (standing && !holds(standing, found.uids))
    return { note: `pods have one user until they are stopped; tutti down, then up gives them the ids ${ranges}` }
  if (!before) await forgetImages(dataDir)
  keepUsers(dataDir, found)
  return { maps: found, note: `pods may have other users than root: the subordinate ids ${ranges} of this one` }
}

/** What was unpacked for one user has no other owners. It is pulled, and what waits in DATA_DIR/images imported, again. */
async function forgetImages(dataDir: string): Promise<void> {
  await removeAsRoot(dataDir, [IMAGE_STORE])
  rmSync(importedNote(join(dataDir, 'images')), { force: true })
}

/** Throws where users of before are not among those that were found. */
function checkBefore(before: IdMaps, found: IdMaps | NoIds, dataDir: string): void {
  if (!('missing' in found) && holds(found.uids, before.uids) && holds(found.gids, before.gids)) return
  const why = 'missing' in found ? found.missing : `it has ${shown(found.uids)} now`
  throw new UserError(
    `files in ${dataDir} belong to the subordinate ids ${shown(before.uids)}, which this user has not any more: ${why}`,
    `As root, give them back: ${giveIds('USER', rangesOf(before.uids), rangesOf(before.gids))}; or begin anew: rm -r ${dataDir}`,
  )
}
