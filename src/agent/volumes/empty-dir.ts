import { execFile } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { VolumeError, type VolumeType } from './volume.ts'

const run = promisify(execFile)

const isMounted = (path: string): boolean => {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${path} `)
  } catch {
    return false
  }
}

/** API doc: EmptyDirVolumeSource. Lives as long as the pod; `medium: Memory` is a tmpfs where mounts may be made. */
export const emptyDirVolume: VolumeType = {
  field: 'emptyDir',
  live: false,
  async setUp({ name, emptyDir = {} }, { directory, fsGroup, mountable }) {
    const fresh = !existsSync(directory)
    mkdirSync(directory, { recursive: true })
    if (emptyDir.medium === 'Memory' && mountable && !isMounted(directory)) {
      const size = emptyDir.sizeLimit ? ['-o', `size=${quantityValue(emptyDir.sizeLimit)}`] : []
      try {
        await run('/bin/mount', ['-n', '-t', 'tmpfs', ...size, 'tmpfs', directory])
      } catch (error) {
        throw new VolumeError(`cannot mount a tmpfs for volume ${name}: ${(error as Error).message}`, { cause: error })
      }
    } else if (!fresh) return directory
    chmodSync(directory, 0o777)
    if (fsGroup !== undefined) {
      chownSync(directory, -1, fsGroup)
      chmodSync(directory, 0o2777)
    }
    return directory
  },
  async tearDown({ emptyDir }, directory) {
    if (emptyDir?.medium === 'Memory' && isMounted(directory)) await run('/bin/umount', ['-l', directory])
  },
}
