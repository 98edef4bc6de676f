/** What is left of the volumes behind the claims of a pod: file systems tell, nothing is counted. */
import { statfs } from 'node:fs/promises'
import type { Volume } from '../../api/generated/types/core-v1.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
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

const claimOf = ({ name, persistentVolumeClaim, ephemeral }: Volume, pod = ''): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral ? `${pod}-${name}` : undefined)

/** Of every volume of the pod that comes by a claim and is mounted; devices are not. */
export async function usageOfClaims(
  worker: Pick<PodWorker, 'pod' | 'volumePath'>,
  clock: Clock,
): Promise<ClaimUsage[]> {
  const { metadata: { name: pod, namespace = '' } = {}, spec } = worker.pod()
  const found = (spec?.volumes ?? []).map(async (volume): Promise<ClaimUsage | undefined> => {
    const claim = claimOf(volume, pod)
    const path = claim && worker.volumePath(volume.name)
    if (!claim || !path) return undefined
    const asked = statfs(path).then(diskFrom, () => undefined)
    const over = new AbortController()
    const disk = await Promise.race([asked, sleep(clock, ANSWER_MS, over.signal).then(() => undefined)])
    over.abort()
    return disk && { volume: volume.name, claim, namespace, disk }
  })
  return (await Promise.all(found)).filter(each => each !== undefined)
}
