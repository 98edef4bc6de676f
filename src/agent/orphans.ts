/** What an earlier life of the node left and no pod owns any more. */
import { join } from 'node:path'
import type { Logger } from '../lib/log.ts'
import { removeTree } from '../lib/mounts.ts'
import { podFolders } from './pod/folders.ts'
import type { PodNetwork } from './pod-network.ts'
import type { RuntimeDriver } from './runtimes/runtime.ts'
import { tearDownVolumes } from './volumes/set-up.ts'
import type { VolumeServices } from './volumes/volume.ts'

export interface OrphanDeps {
  readonly runtimes: readonly RuntimeDriver[]
  readonly podNetwork: PodNetwork
  readonly podsDirectory: string
  readonly volumeServices: VolumeServices
  readonly logger: Logger
}

/** Removes a pod's folder after its volumes. */
async function removePodFolder(directory: string, services: VolumeServices) {
  await tearDownVolumes(directory, services)
  await removeTree(directory)
}

/** Removes one thing of a pod; what will not let go stays, and is told. */
async function lone(logger: Logger, what: string, uid: string, work: () => Promise<void>) {
  try {
    logger.info({ uid }, `${what} of a pod that is no more is removed`)
    await work()
  } catch (error) {
    logger.warn({ err: error, uid }, `${what} of a pod that is no more could not be removed`)
  }
}

/** Ends and removes everything whose pod is not in `known` (uids). */
export async function removeOrphans(deps: OrphanDeps, known: ReadonlySet<string>): Promise<void> {
  const { runtimes, podNetwork, logger } = deps
  for (const driver of runtimes) {
    for (const { id, uid } of await driver.listSandboxes()) {
      if (!known.has(uid)) await lone(logger, 'the sandbox', uid, () => driver.removeSandbox(id))
    }
  }
  for (const uid of await podNetwork.list()) {
    if (!known.has(uid)) await lone(logger, 'the network', uid, () => podNetwork.teardown(uid))
  }
  await removeOrphanFolders(deps, known)
}

/** Removes the folders of pods that are not in `known`; what will not let go now stays for another time. */
export async function removeOrphanFolders(
  { podsDirectory, volumeServices, logger }: Pick<OrphanDeps, 'podsDirectory' | 'volumeServices' | 'logger'>,
  known: ReadonlySet<string>,
): Promise<void> {
  for (const uid of podFolders(podsDirectory)) {
    if (known.has(uid)) continue
    await lone(logger, 'the folder', uid, () => removePodFolder(join(podsDirectory, uid), volumeServices))
  }
}
