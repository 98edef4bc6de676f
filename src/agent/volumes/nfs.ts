import { mkdirSync, readFileSync } from 'node:fs'
import { isMounted, mount, removeTree } from '../../lib/mounts.ts'
import { VolumeError, type VolumeSpec, type VolumeType } from './volume.ts'

/** mount(8) says of a missing mount.nfs that the file system is unknown; this says what is missing. */
function explained(error: Error): string {
  const kernel = readFileSync('/proc/filesystems', 'utf8').split(/\s/).includes('nfs')
  const isUnknown = /unknown filesystem type|bad option|need a \/sbin\/mount|helper program/.test(error.message)
  if (!isUnknown) return error.message
  const missing = kernel ? 'the program mount.nfs (package nfs-common)' : 'NFS in the kernel, or the program mount.nfs'
  return `${error.message}: this node lacks ${missing}`
}

const optionsOf = ({ bound, readOnly, source }: VolumeSpec): readonly string[] => [
  ...(readOnly || source.nfs?.readOnly ? ['ro'] : []),
  ...(bound?.volume.spec?.mountOptions ?? []),
]

/** API doc: NFSVolumeSource. A share of another machine; its files keep their owners, as the server has them. */
export const nfsVolume: VolumeType = {
  field: 'nfs',
  folder: 'kubernetes.io~nfs',
  live: false,
  readOnly: false,
  async setUp(spec, { directory, mountable }) {
    if (!mountable) throw new VolumeError('volumes of NFS need a node that may mount')
    if (isMounted(directory)) return directory
    const { server = '', path = '' } = spec.source.nfs ?? {}
    mkdirSync(directory, { recursive: true, mode: 0o750 })
    const options = optionsOf(spec)
    const host = server.includes(':') && !server.startsWith('[') ? `[${server}]` : server
    try {
      await mount('-t', 'nfs', ...(options.length > 0 ? ['-o', options.join(',')] : []), `${host}:${path}`, directory)
    } catch (error) {
      await removeTree(directory)
      throw new VolumeError(explained(error as Error), { cause: error })
    }
    return directory
  },
}
