/** The secrets that a persistent volume's driver needs on a node (API doc: core/v1 PersistentVolumeSpec). Pure. */
import type { KubeObject } from '../../../api/machinery/object.ts'

interface SecretRef {
  readonly name?: string
  readonly namespace?: string
}

interface VolumeShape extends KubeObject {
  spec?: {
    claimRef?: { namespace?: string }
    azureFile?: { secretName?: string; secretNamespace?: string }
    csi?: Record<string, unknown>
    cephfs?: { secretRef?: SecretRef }
    flexVolume?: { secretRef?: SecretRef }
    iscsi?: { secretRef?: SecretRef }
    rbd?: { secretRef?: SecretRef }
    scaleIO?: { secretRef?: SecretRef }
    storageos?: { secretRef?: SecretRef }
  }
}

/** Of csi's references those that the controller's side of a driver uses are not for a node. */
const CSI_ON_NODE = ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef']

/** Names and namespaces; a reference without a namespace means that of the volume's claim. */
export function* volumeSecrets(volume: KubeObject): Generator<SecretRef> {
  const { spec = {} } = volume as VolumeShape
  const home = spec.claimRef?.namespace
  const at = (ref: SecretRef | undefined): SecretRef => ({
    ...(ref?.name && { name: ref.name }),
    ...((ref?.namespace ?? home) && { namespace: (ref?.namespace ?? home) as string }),
  })
  for (const type of ['cephfs', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'] as const)
    yield at(spec[type]?.secretRef)
  const { secretName, secretNamespace } = spec.azureFile ?? {}
  yield at({ ...(secretName && { name: secretName }), ...(secretNamespace && { namespace: secretNamespace }) })
  for (const field of CSI_ON_NODE) yield at(spec.csi?.[field] as SecretRef | undefined)
}
