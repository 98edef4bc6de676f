/** What programs of a data directory leave on the machine besides it, where they ended in no order. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { realClock } from '../lib/clock.ts'
import { leaveSharedFolder } from '../lib/shared-folder.ts'
import { removeOwnParts } from '../network/kernel-network.ts'

/**
 * Takes it away: a containerd with all that it runs, namespaces of pods, addresses of load balancers. The kernel's tables
 * are not touched: another cluster may have them by now. Only root has left anything; none of the programs may run.
 */
export async function removeRemainsOf(dataDir: string): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return
  const directory = join(dataDir, 'containerd')
  if (existsSync(directory)) {
    const { endContainerd } = await import('../agent/runtimes/containerd/supervise.ts')
    const { removeRemains } = await import('../agent/runtimes/containerd/remains.ts')
    await endContainerd(directory, realClock)
    await removeRemains(directory)
  }
  await removeOwnParts(dataDir)
  leaveSharedFolder()
}
