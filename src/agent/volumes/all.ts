import { configMapVolume } from './config-map.ts'
import { csiVolume } from './csi.ts'
import { downwardApiVolume } from './downward-api.ts'
import { emptyDirVolume } from './empty-dir.ts'
import { hostPathVolume } from './host-path.ts'
import { imageVolume } from './image.ts'
import { localVolume } from './local.ts'
import { nfsVolume } from './nfs.ts'
import { projectedVolume } from './projected.ts'
import { secretVolume } from './secret.ts'
import type { VolumeType } from './volume.ts'

/** Every volume type of this node. */
export const volumeTypes: readonly VolumeType[] = [
  configMapVolume,
  csiVolume,
  downwardApiVolume,
  emptyDirVolume,
  hostPathVolume,
  imageVolume,
  localVolume,
  nfsVolume,
  projectedVolume,
  secretVolume,
]
