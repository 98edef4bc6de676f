import { realpathSync, type Stats, statSync } from 'node:fs'
import { giveToGroup } from './ownership.ts'
import { VolumeError, type VolumeSpec, type VolumeType } from './volume.ts'

/** What stands at the path of a local volume; it is never made: an empty folder would pass for lost data. */
function found({ source }: VolumeSpec): { readonly path: string; readonly stats: Stats } {
  const { path = '' } = source.local ?? {}
  if (path.split('/').includes('..')) throw new VolumeError(`invalid path: ${path} must not contain '..'`)
  try {
    return { path, stats: statSync(path) }
  } catch (error) {
    const step = 'MountVolume.NewMounter initialization failed'
    throw new VolumeError(`path ${JSON.stringify(path)} does not exist`, { cause: error, step })
  }
}

/** API doc: LocalVolumeSource. A folder, or for `volumeMode: Block` a device of the node that its affinity names. */
export const localVolume: VolumeType = {
  field: 'local',
  folder: 'kubernetes.io~local-volume',
  live: false,
  readOnly: false,
  async setUp(spec, { pod }) {
    const { path, stats } = found(spec)
    if (!stats.isDirectory()) {
      const what = stats.isBlockDevice()
        ? 'is a device: the file system on it must be mounted by the administrator, or the volume be used with volumeMode Block'
        : 'only directory and block device are supported'
      throw new VolumeError(`local volume ${path}: ${what}`)
    }
    if (!spec.readOnly) await giveToGroup(path, pod, false)
    return path
  },
  async map(spec) {
    const { path, stats } = found(spec)
    // Names of disks are links mostly, which mean nothing in a container.
    if (stats.isBlockDevice()) return realpathSync(path)
    throw new VolumeError(`local volume ${path} is not a block device`, { step: 'MapVolume.SetUpDevice failed' })
  },
}
