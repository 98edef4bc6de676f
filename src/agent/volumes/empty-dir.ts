import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { quantityValue } from '../../api/machinery/quantity.ts'
import { isMounted, mount } from '../../lib/mounts.ts'
import { giveToGroup } from './ownership.ts'
import { type VolumeContext, VolumeError, type VolumeSpec, type VolumeType } from './volume.ts'

/** How large a volume in memory may grow, in bytes: its own limit, or that of the pod's memory; undefined: neither. */
function memoryLimit({ source }: VolumeSpec, { pod }: VolumeContext): number | undefined {
  const { sizeLimit } = source.emptyDir ?? {}
  const own = sizeLimit === undefined ? undefined : quantityValue(sizeLimit)
  const containers = pod.spec?.containers ?? []
  const limits = containers.map(each => each.resources?.limits?.memory)
  const ofPod = limits.every(each => each !== undefined)
    ? limits.reduce((sum, each) => sum + quantityValue(each), 0)
    : undefined
  const all = [own, ofPod].filter(each => each !== undefined && each > 0)
  return all.length > 0 ? Math.min(...(all as number[])) : undefined
}

/** API doc: EmptyDirVolumeSource. Lives as long as the pod; `medium: Memory` is a tmpfs where mounts may be made. */
export const emptyDirVolume: VolumeType = {
  field: 'emptyDir',
  folder: 'kubernetes.io~empty-dir',
  live: false,
  readOnly: false,
  async setUp(spec, context) {
    const { directory, mountable, pod } = context
    const { medium = '' } = spec.source.emptyDir ?? {}
    if (medium.startsWith('HugePages'))
      throw new VolumeError(`medium ${medium} is not supported by this node: it offers no huge pages`)
    const fresh = !existsSync(directory)
    mkdirSync(directory, { recursive: true })
    if (medium === 'Memory' && mountable && !isMounted(directory)) {
      const size = memoryLimit(spec, context)
      await mount('-t', 'tmpfs', ...(size === undefined ? [] : ['-o', `size=${size}`]), 'tmpfs', directory)
    } else if (!fresh) return directory
    chmodSync(directory, 0o777)
    await giveToGroup(directory, pod, false)
    return directory
  },
}
