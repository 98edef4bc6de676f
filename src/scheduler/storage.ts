/**
 * Claims, volumes and storage classes as plugins read them, from informers. What was decided for a claim and is not
 * seen there yet (an assumed binding) counts from the moment of the decision, as it does for pods.
 */
import { PersistentVolume } from '../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../api/kinds/core/persistent-volume-claim.ts'
import { CSIDriver } from '../api/kinds/storage/csi-driver.ts'
import { CSINode } from '../api/kinds/storage/csi-node.ts'
import { CSIStorageCapacity } from '../api/kinds/storage/csi-storage-capacity.ts'
import { StorageClass } from '../api/kinds/storage/storage-class.ts'
import { claimedBy, classOf, SELECTED_NODE } from '../api/machinery/volume-match.ts'
import { keyOf, type ObjectKey } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'

export interface Storage {
  claim(key: ObjectKey): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  storageClass(name: string): StorageClass | undefined
  /** Volumes of a class, in no order. */
  volumesOf(className: string): readonly PersistentVolume[]
  /** `Immediate` or `WaitForFirstConsumer`, by the claim's class. */
  bindingMode(claim: PersistentVolumeClaim): string
  /** What the drivers of a class say is free where; undefined: its driver says nothing. */
  capacities(storageClass: StorageClass): readonly CSIStorageCapacity[] | undefined
  /** How many volumes of a CSI driver a node takes; undefined: it does not say. */
  volumeLimit(nodeName: string, driver: string): number | undefined
  /** Grows with every change of any of them. */
  version(): number
}

/** What was decided for the claims of one pod. */
export interface Binding {
  /** Volumes that are there already. */
  readonly volumes: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  /** Claims whose volumes are to be made for the node. */
  readonly provisioned: readonly PersistentVolumeClaim[]
  readonly nodeName: string
}

export interface FollowedStorage extends Storage {
  synced(): Promise<unknown>
  /** Begins to follow, and calls back for all that is there and after each change; returns the end of it. */
  follow(changed: () => void): () => void
  /** Calls back after each change from now on, while it is followed; returns the end of it. */
  onChange(changed: () => void): () => void
  /** The node for which a claim says that its volume is to be made, as it is written and seen. */
  written(key: ObjectKey): string | undefined
  /** Lets a decision count from now on; returns what takes it back. */
  assume(binding: Binding): () => void
}

/** Storage without anything in it. */
export const noStorage: Storage = {
  claim: () => undefined,
  volume: () => undefined,
  storageClass: () => undefined,
  volumesOf: () => [],
  bindingMode: () => 'Immediate',
  capacities: () => undefined,
  volumeLimit: () => undefined,
  version: () => 0,
}

/** Follows all of it. */
export function followStorage(informers: Informers): FollowedStorage {
  const claims = informers.of<PersistentVolumeClaim>(PersistentVolumeClaim)
  const volumes = informers.of<PersistentVolume>(PersistentVolume)
  const classes = informers.of<StorageClass>(StorageClass)
  const drivers = informers.of<CSIDriver>(CSIDriver)
  const capacities = informers.of<CSIStorageCapacity>(CSIStorageCapacity)
  const csiNodes = informers.of<CSINode>(CSINode)
  const all = [claims, volumes, classes, drivers, capacities, csiNodes]
  const assumedVolumes = new Map<string, PersistentVolumeClaim>()
  const assumedClaims = new Map<ObjectKey, string>()
  const listeners = new Set<() => void>()
  let version = 0
  let byClass: Map<string, PersistentVolume[]> | undefined

  /** As it will be once the decision about it is written. */
  const seen = (volume: PersistentVolume): PersistentVolume => {
    const claim = volume.spec?.claimRef?.uid ? undefined : assumedVolumes.get(volume.metadata?.name ?? '')
    return claim ? claimedBy(volume, claim) : volume
  }
  const changed = () => {
    version++
    byClass = undefined
  }
  return {
    claim(key) {
      const claim = claims.get(key)
      const node = claim?.spec?.volumeName ? undefined : assumedClaims.get(key)
      if (!claim || node === undefined) return claim
      const { metadata } = claim
      return { ...claim, metadata: { ...metadata, annotations: { ...metadata?.annotations, [SELECTED_NODE]: node } } }
    },
    volume(name) {
      const volume = volumes.get(name)
      return volume && seen(volume)
    },
    storageClass: name => classes.get(name),
    volumesOf(className) {
      byClass ??= Map.groupBy(volumes.list(), classOf)
      return byClass.get(className)?.map(seen) ?? []
    },
    bindingMode: claim => classes.get(classOf(claim))?.volumeBindingMode ?? 'Immediate',
    capacities({ metadata, provisioner }) {
      if (!drivers.get(provisioner)?.spec?.storageCapacity) return undefined
      return capacities.list().filter(each => each.storageClassName === metadata?.name)
    },
    volumeLimit: (nodeName, driver) =>
      csiNodes.get(nodeName)?.spec.drivers?.find(each => each.name === driver)?.allocatable?.count,
    version: () => version,
    synced: () => Promise.all(all.map(each => each.synced())),
    follow(tell) {
      const ends = all.map(each =>
        each.onChange(() => {
          changed()
          tell()
          for (const listener of [...listeners]) listener()
        }),
      )
      return () => {
        for (const end of ends) end()
      }
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    written: key => claims.get(key)?.metadata?.annotations?.[SELECTED_NODE],
    assume(binding) {
      for (const { claim, volume } of binding.volumes) assumedVolumes.set(volume.metadata?.name ?? '', claim)
      for (const claim of binding.provisioned) assumedClaims.set(keyOf(claim), binding.nodeName)
      changed()
      return () => {
        for (const { volume } of binding.volumes) assumedVolumes.delete(volume.metadata?.name ?? '')
        for (const claim of binding.provisioned) assumedClaims.delete(keyOf(claim))
        changed()
      }
    },
  }
}
