import { mkdirSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { VolumeError, type VolumeType } from './volume.ts'

const stat = (path: string): Stats | undefined => {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** What each type asks of the path, and how it is called when it is not that. */
const CHECKS: Readonly<Record<string, [(stats: Stats) => boolean, string]>> = {
  Directory: [stats => stats.isDirectory(), 'directory'],
  DirectoryOrCreate: [stats => stats.isDirectory(), 'directory'],
  File: [stats => stats.isFile(), 'file'],
  FileOrCreate: [stats => stats.isFile(), 'file'],
  Socket: [stats => stats.isSocket(), 'socket file'],
  CharDevice: [stats => stats.isCharacterDevice(), 'character device'],
  BlockDevice: [stats => stats.isBlockDevice(), 'block device'],
}

/** API doc: HostPathVolumeSource. The machine's files keep their owners: no group is given to them. */
export const hostPathVolume: VolumeType = {
  field: 'hostPath',
  folder: 'kubernetes.io~host-path',
  live: false,
  readOnly: false,
  async setUp({ source }) {
    const { path = '', type = '' } = source.hostPath ?? {}
    if (!path.startsWith('/') || path.split('/').includes('..')) {
      throw new VolumeError(`invalid HostPath \`${path}\`: must be absolute and must not contain '..'`)
    }
    if (!stat(path) && type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 })
    if (!stat(path) && type === 'FileOrCreate') create(path)
    const stats = stat(path)
    // Without a type a missing path is made a folder when it is mounted, as container runtimes do.
    if (!stats && type === '') mkdirSync(path, { recursive: true, mode: 0o755 })
    const check = CHECKS[type]
    if (check && !(stats && check[0](stats))) {
      throw new VolumeError(`hostPath type check failed: ${path} is not a ${check[1]}`)
    }
    return path
  },
}

/** An empty file; the folder that it is in must be there (API doc: HostPathFileOrCreate). */
function create(path: string) {
  try {
    writeFileSync(path, '', { mode: 0o644 })
  } catch (error) {
    throw new VolumeError((error as Error).message, { cause: error })
  }
}
