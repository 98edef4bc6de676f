/** Makes the volume of a claim: a folder on the node that the scheduler chose, and the PersistentVolume that says so. */
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { StorageClass } from '../../api/kinds/storage/storage-class.ts'
import { classOf, SELECTED_NODE, STORAGE_PROVISIONER } from '../../api/machinery/volume-match.ts'
import { hasReason } from '../../client/client.ts'
import { keyOf } from '../../client/informer-types.ts'
import { refOf } from '../../client/resource.ts'
import type { LocalPathDeps } from './component.ts'
import { annotationsOf, FINALIZER, PROVISIONER, sizeOf } from './names.ts'

/** It waits for a volume from us. */
export const isWanted = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  !spec?.volumeName && !metadata?.deletionTimestamp && metadata?.annotations?.[STORAGE_PROVISIONER] === PROVISIONER

/** What a claim asks for and a folder cannot give; undefined: nothing. */
function problemOf({ spec }: PersistentVolumeClaim, { volumeBindingMode, parameters }: StorageClass) {
  if (spec?.volumeMode === 'Block') return 'a folder cannot be a block device: leave volumeMode out'
  if (spec?.selector) return 'claim.Spec.Selector is not supported'
  if (spec?.dataSource || spec?.dataSourceRef) return 'a volume cannot be filled from a dataSource: leave it out'
  const unknown = Object.keys(parameters ?? {})
  if (unknown.length > 0) return `the StorageClass has parameters that are not known: ${unknown.join(', ')}`
  if (volumeBindingMode !== 'WaitForFirstConsumer')
    return 'no node was specified: the StorageClass needs volumeBindingMode WaitForFirstConsumer'
  return undefined
}

/** `pvc-UID_NAMESPACE_NAME`, as far as a file may be named. */
const folderOf = ({ metadata }: PersistentVolumeClaim, volume: string) =>
  `${volume}_${metadata?.namespace}_${metadata?.name}`.slice(0, 255)

function volumeOf(claim: PersistentVolumeClaim, storageClass: StorageClass, node: Node, name: string, path: string) {
  const { namespace, name: claimName, uid, resourceVersion } = claim.metadata ?? {}
  const hostname = node.metadata?.labels?.['kubernetes.io/hostname'] ?? ''
  const { reclaimPolicy = 'Delete', mountOptions } = storageClass
  return {
    apiVersion: PersistentVolume.apiVersion,
    kind: PersistentVolume.kind,
    metadata: {
      name,
      annotations: annotationsOf(node.metadata?.name ?? ''),
      ...(reclaimPolicy === 'Delete' && { finalizers: [FINALIZER] }),
    },
    spec: {
      accessModes: claim.spec?.accessModes,
      capacity: { storage: claim.spec?.resources?.requests?.storage },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: classOf(claim),
      volumeMode: 'Filesystem',
      ...(mountOptions && { mountOptions }),
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claimName, uid, resourceVersion },
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [hostname] }] },
          ],
        },
      },
    },
  } as PersistentVolume
}

/** Provisions for a claim that `isWanted`; rejects where it has to be tried again. */
export async function provision(deps: LocalPathDeps, claim: PersistentVolumeClaim): Promise<void> {
  const { informers, client, events, nodeVolumes } = deps
  const storageClass = informers.of<StorageClass>(StorageClass).get(classOf(claim))
  if (storageClass?.provisioner !== PROVISIONER) return
  const fail = (reason: string) => {
    const title = `failed to provision volume with StorageClass ${JSON.stringify(classOf(claim))}`
    events.event(claim, 'Warning', 'ProvisioningFailed', `${title}: ${reason}`)
  }
  const problem = problemOf(claim, storageClass)
  if (problem) return fail(problem)
  const nodeName = claim.metadata?.annotations?.[SELECTED_NODE]
  if (!nodeName) return
  const node = informers.of<Node>(Node).get(nodeName)
  // The scheduler chooses anew.
  if (!node) return unselect(deps, claim)
  const name = `pvc-${claim.metadata?.uid}`
  if (informers.of<PersistentVolume>(PersistentVolume).get(name)) return
  events.event(
    claim,
    'Normal',
    'Provisioning',
    `External provisioner is provisioning volume for claim ${JSON.stringify(keyOf(claim))}`,
  )
  try {
    const path = await nodeVolumes.make(nodeName, folderOf(claim, name), sizeOf(claim))
    await client.kind<PersistentVolume>(PersistentVolume).create(volumeOf(claim, storageClass, node, name, path))
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) return
    fail((error as Error).message)
    throw error
  }
  events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`)
}

async function unselect({ client }: LocalPathDeps, claim: PersistentVolumeClaim) {
  const patch = { metadata: { uid: claim.metadata?.uid, annotations: { [SELECTED_NODE]: null } } }
  await client.kind<PersistentVolumeClaim>(PersistentVolumeClaim).patch(refOf(claim), patch, { type: 'merge' })
}
