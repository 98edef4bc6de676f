/** What is noted of a CSI volume in the pod's folder, to undo it by: objects may be gone by then, and so may we. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import { podFolders } from '../pod/folders.ts'
import type { CsiVolume } from './source.ts'

/** Its file has the kubelet's name and keys: drivers read it. */
const FILE = 'vol_data.json'

export interface VolumeRecord {
  readonly specVolID: string
  readonly volumeHandle: string
  readonly driverName: string
  readonly nodeName: string
  readonly attachmentID: string
  readonly volumeLifecycleMode: 'Persistent' | 'Ephemeral'
  /** Where it is published: `mount` in the folder, or the path of a device. */
  readonly target: string
  /** Where it is staged; '' where its driver does not stage. */
  readonly staging: string
}

export function saveRecord(directory: string, record: VolumeRecord): void {
  mkdirSync(directory, { recursive: true, mode: 0o750 })
  writeFileAtomic(join(directory, FILE), JSON.stringify(record))
}

/** undefined: nothing was published here. */
export function readRecord(directory: string): VolumeRecord | undefined {
  const path = join(directory, FILE)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as VolumeRecord) : undefined
}

/** Everything that is noted in the folders of all pods, with the folder. */
export function allRecords(podsDirectory: string): { readonly directory: string; readonly record: VolumeRecord }[] {
  return podFolders(podsDirectory).flatMap(uid => {
    const folder = join(podsDirectory, uid, 'volumes/kubernetes.io~csi')
    return (existsSync(folder) ? readdirSync(folder) : []).flatMap(name => {
      const directory = join(folder, name)
      const record = readRecord(directory)
      return record ? [{ directory, record }] : []
    })
  })
}

/** The record is of this volume. */
export const isOf = (record: VolumeRecord, { driver, handle }: Pick<CsiVolume, 'driver' | 'handle'>): boolean =>
  record.driverName === driver && record.volumeHandle === handle
