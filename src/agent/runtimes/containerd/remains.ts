/**
 * What a containerd of our own ran, ended without it: one that cannot be started any more takes nothing away, and
 * containers live on below their shims.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { removeTree } from '../../../lib/mounts.ts'
import { leaveSharedFolder } from '../../../lib/shared-folder.ts'
import { membersOf } from '../../cgroups/members.ts'
import { runDirectory, shimsOf } from './run-folder.ts'
import { BUNDLES, findShims, kill, type ShimsOf } from './shims.ts'

/** What was killed is gone within this time, where the kernel does not hold it; looked at after so long (ms). */
const GONE_MS = 30_000
const STEP_MS = 20
/** Where shims have runc keep what it knows, by namespace and id. */
const RUNC = 'runc'
/** As CRI has them. */
const CONTAINER_ID = /^[0-9a-f]{64}$/

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/**
 * ids of containers and sandboxes that it ran, as it knows them and as runc does: one that is killed while runc makes a
 * container may forget it, and what was made waits for its start for ever.
 */
function containersIn({ state }: ShimsOf): string[] {
  return [join(state, BUNDLES), join(state, RUNC)]
    .flatMap(folder => namesIn(folder).map(namespace => join(folder, namespace)))
    .flatMap(namesIn)
    .filter(name => CONTAINER_ID.test(name))
}

/**
 * Kills shims and containers of the containerd whose folder this is and which does not run any more, lets go of what is
 * mounted for them, and removes its run folder; the one that clusters of the machine share goes with the last of them.
 * Nothing to do where nothing is left. Rejects where a mount cannot be undone.
 */
export async function removeRemains(directory: string): Promise<void> {
  const shims = shimsOf(directory)
  const ids = containersIn(shims)
  // Again until all are gone: what forks meanwhile is seen the next time.
  for (let waited = 0; waited < GONE_MS; waited += STEP_MS) {
    const left = [...findShims(shims, false), ...membersOf(ids)]
    if (left.length === 0) break
    kill(left)
    // A timer that keeps the program alive: there may be nothing else left that does.
    await setTimeout(STEP_MS)
  }
  await removeTree(runDirectory(directory))
  leaveSharedFolder()
}
