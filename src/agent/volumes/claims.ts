/** From a pod's claim to the volume that it is bound to, as far as the pod may use it. */
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import { claimNameOf } from '../../api/kinds/core/pod-references.ts'
import { matchesTerm } from '../../api/machinery/node-match.ts'
import type { Client } from '../../client/client.ts'
import { allContainers } from '../pod/object.ts'
import { nodes, persistentVolumeClaims, persistentVolumes } from '../resources.ts'
import { VolumeError, type VolumeSpec } from './volume.ts'

export interface ClaimSource {
  /**
   * What a volume of a pod stands for: itself, or the PersistentVolume of its claim. Rejects with `VolumeError` where
   * that cannot be used, in the kubelet's words. Nothing is kept: a node may read claims, not watch them.
   */
  resolve(pod: Pod, volume: Volume): Promise<VolumeSpec>
}

/** Reads claims as this node. */
export function createClaimSource(client: Client, nodeName: string): ClaimSource {
  const get = async <T>(what: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      throw new VolumeError(`failed to fetch ${what} from API server: ${(error as Error).message}`, { cause: error })
    }
  }
  async function boundTo(claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    const name = claim.spec?.volumeName ?? ''
    const volume = await get(`PV ${name}`, () => client.kind(persistentVolumes).get({ name }))
    const reference = volume.spec?.claimRef
    if (!reference)
      throw new VolumeError(
        `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
      )
    if (reference.uid !== claim.metadata?.uid)
      throw new VolumeError(
        `found PV object ${name} but its pv.Spec.ClaimRef.UID ${reference.uid} does not point to claim.UID ${claim.metadata?.uid}`,
      )
    return volume
  }
  async function checkReach(volume: PersistentVolume) {
    const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms
    if (!terms) return
    const node: Node = await client.kind(nodes).get({ name: nodeName })
    if (terms.some(term => matchesTerm(term, node))) return
    const step = 'MountVolume.NodeAffinity check failed'
    throw named(volume.metadata?.name ?? '', new VolumeError('no matching NodeSelectorTerms', { step }))
  }
  return {
    async resolve(pod, source) {
      const { namespace } = pod.metadata ?? {}
      const { name, persistentVolumeClaim, ephemeral, ...rest } = source
      const claimName = claimNameOf(pod, source)
      if (claimName === undefined) return { name, source: rest, readOnly: false }
      try {
        const claim = await get('PVC', () => client.kind(persistentVolumeClaims).get({ namespace, name: claimName }))
        checkClaim(claim)
        if (ephemeral) checkOwner(claim, pod)
        const volume = await boundTo(claim)
        checkMode(volume, name, pod)
        await checkReach(volume)
        return {
          name: volume.metadata?.name ?? '',
          source: volume.spec ?? {},
          bound: { claim, volume },
          readOnly: persistentVolumeClaim?.readOnly ?? false,
        }
      } catch (error) {
        if (!(error instanceof VolumeError) || error.step !== undefined) throw error
        throw new VolumeError(`error processing PVC ${namespace}/${claimName}: ${error.message}`, {
          cause: error,
          step: '',
        })
      }
    },
  }
}

/** An error with its step and the volume's name in front, as events show it. */
export function named(volume: string, error: VolumeError): VolumeError {
  if (error.step === '') return error
  const step = error.step ?? 'MountVolume.SetUp failed'
  const message = `${step} for volume ${JSON.stringify(volume)} : ${error.message}`
  return new VolumeError(message, { cause: error, step: '', soon: error.soon })
}

function checkClaim({ metadata, status, spec }: PersistentVolumeClaim) {
  if (metadata?.deletionTimestamp) throw new VolumeError('PVC is being deleted')
  if (status?.phase !== 'Bound') throw new VolumeError('PVC is not bound')
  if (!spec?.volumeName) throw new VolumeError('PVC has empty pvc.Spec.VolumeName')
}

function checkOwner({ metadata }: PersistentVolumeClaim, pod: Pod) {
  if (metadata?.ownerReferences?.some(each => each.controller && each.uid === pod.metadata?.uid)) return
  throw new VolumeError(
    `PVC ${metadata?.namespace}/${metadata?.name} was not created for pod ${pod.metadata?.namespace}/${pod.metadata?.name} (pod is not owner)`,
    { step: '' },
  )
}

/** Whether the volume is used as what it is, a file system or a device. */
function checkMode({ spec }: PersistentVolume, name: string, pod: Pod) {
  const mode = spec?.volumeMode ?? 'Filesystem'
  const wrong = mode === 'Block' ? 'volumeMounts' : 'volumeDevices'
  if (!allContainers(pod).some(each => each[wrong]?.some(use => use.name === name))) return
  throw new VolumeError(`volume ${name} has volumeMode ${mode}, but is specified in ${wrong}`, { step: '' })
}
