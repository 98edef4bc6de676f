/** What is left of the volumes behind the claims of a pod: file systems tell, nothing is counted. */
import { statfs } from 'node:fs/promises'
import { claimNameOf } from '../../api/kinds/core/pod-references.ts'
import { type Clock, within } from '../../lib/clock.ts'
import { type Disk, diskFrom } from '../node/usage.ts'
import type { PodWorker } from '../pod/worker.ts'

export interface ClaimUsage {
  /** The pod's name for it. */
  readonly volume: string
  readonly claim: string
  readonly namespace: string
  /** The file system: all of the disk for folders on one. */
  readonly disk: Disk
}

/** A server elsewhere that does not answer is left out, ms. */
const ANSWER_MS = 2000

/** Of every volume of the pod that comes by a claim and is mounted; devices are not. */
export async function usageOfClaims(
  worker: Pick<PodWorker, 'pod' | 'volumePath'>,
  clock: Clock,
): Promise<ClaimUsage[]> {
  const pod = worker.pod()
  const { namespace = '' } = pod.metadata ?? {}
  const found = (pod.spec?.volumes ?? []).map(async (volume): Promise<ClaimUsage | undefined> => {
    const claim = claimNameOf(pod, volume)
    const path = claim && worker.volumePath(volume.name)
    if (!claim || !path) return undefined
    const asked = statfs(path).then(diskFrom, () => undefined)
    const disk = await within(clock, ANSWER_MS, asked)
    return disk && { volume: volume.name, claim, namespace, disk }
  })
  return (await Promise.all(found)).filter(each => each !== undefined)
}
