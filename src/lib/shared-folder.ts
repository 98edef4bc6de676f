/** The folder of this machine in which clusters that root runs have what a reboot empties, each below a name of its own. */
import { rmdirSync } from 'node:fs'

export const SHARED_FOLDER = '/run/tutti'

/** Removes it, once the last of them has left. */
export function leaveSharedFolder(folder = SHARED_FOLDER): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others have something in it, or it is gone.
  }
}
