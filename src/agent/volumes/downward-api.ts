import type { DownwardAPIVolumeFile } from '../../api/generated/types/core-v1.ts'
import { fieldValue, resourceValue } from '../pod/fields.ts'
import { type Payload, safePath, writePayload } from './payload.ts'
import { type VolumeContext, VolumeError, type VolumeType } from './volume.ts'

/** What a downward API source puts into a volume. */
export function downwardPayload(
  items: readonly DownwardAPIVolumeFile[] = [],
  mode: number,
  context: VolumeContext,
): Payload {
  const payload: Payload = new Map()
  for (const item of items) {
    try {
      const text = item.fieldRef
        ? fieldValue(context.pod, item.fieldRef.fieldPath, context.addresses)
        : resourceValue(context.pod, item.resourceFieldRef ?? { resource: '' }, '', context.allocatable)
      payload.set(safePath(item.path), { data: Buffer.from(text), mode: item.mode ?? mode })
    } catch (error) {
      throw new VolumeError(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
  return payload
}

/** API doc: DownwardAPIVolumeSource. Follows the pod's labels and annotations. */
export const downwardApiVolume: VolumeType = {
  field: 'downwardAPI',
  folder: 'kubernetes.io~downward-api',
  live: true,
  readOnly: true,
  async setUp({ source: { downwardAPI = {} } }, context) {
    const payload = downwardPayload(downwardAPI.items, downwardAPI.defaultMode ?? 0o644, context)
    await writePayload(context, payload)
    return context.directory
  },
}
