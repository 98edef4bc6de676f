/** Claims, volumes and storage classes as plugins read them, from informers. */
import { PersistentVolume } from '../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../api/kinds/core/persistent-volume-claim.ts'
import { StorageClass } from '../api/kinds/storage/storage-class.ts'
import type { ObjectKey } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'

export interface Storage {
  claim(key: ObjectKey): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  /** `Immediate` or `WaitForFirstConsumer`, by the claim's class. */
  bindingMode(claim: PersistentVolumeClaim): string
  /** Grows with every change of any of them. */
  version(): number
}

export interface FollowedStorage extends Storage {
  synced(): Promise<unknown>
  /** Calls back after each change; returns the end of it. */
  follow(changed: () => void): () => void
}

const CLASS = 'volume.beta.kubernetes.io/storage-class'

/** Storage without anything in it. */
export const noStorage: Storage = {
  claim: () => undefined,
  volume: () => undefined,
  bindingMode: () => 'Immediate',
  version: () => 0,
}

/** Follows all three kinds. */
export function followStorage(informers: Informers): FollowedStorage {
  const claims = informers.of<PersistentVolumeClaim>(PersistentVolumeClaim)
  const volumes = informers.of<PersistentVolume>(PersistentVolume)
  const classes = informers.of<StorageClass>(StorageClass)
  let version = 0
  return {
    claim: key => claims.get(key),
    volume: name => volumes.get(name),
    bindingMode({ metadata, spec }) {
      const name = metadata?.annotations?.[CLASS] ?? spec?.storageClassName ?? ''
      return classes.get(name)?.volumeBindingMode ?? 'Immediate'
    },
    version: () => version,
    synced: () => Promise.all([claims, volumes, classes].map(each => each.synced())),
    follow(changed) {
      const tell = () => {
        version++
        changed()
      }
      const ends = [claims.onChange(tell), volumes.onChange(tell), classes.onChange(tell)]
      return () => {
        for (const end of ends) end()
      }
    },
  }
}
