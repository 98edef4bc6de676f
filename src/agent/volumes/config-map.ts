import type { ConfigMap, ConfigMapProjection } from '../../api/generated/types/core-v1.ts'
import { type Payload, pickFiles, writePayload } from './payload.ts'
import { type VolumeContext, VolumeError, type VolumeType } from './volume.ts'

/** Files of a ConfigMap; `data` as text and `binaryData` decoded. */
function bytes(object: ConfigMap): Record<string, Uint8Array> {
  const result: Record<string, Uint8Array> = {}
  for (const [key, value] of Object.entries(object.data ?? {})) result[key] = Buffer.from(value)
  for (const [key, value] of Object.entries(object.binaryData ?? {})) result[key] = Buffer.from(value, 'base64')
  return result
}

/** What a ConfigMap source puts into a volume. */
export function configMapPayload(source: ConfigMapProjection, mode: number, { objects }: VolumeContext): Payload {
  const name = source.name ?? ''
  const object = objects.configMap(name)
  if (!object) {
    if (source.optional) return new Map()
    throw new VolumeError(`configmap ${JSON.stringify(name)} not found`)
  }
  return pickFiles(bytes(object), source.items, mode, source.optional ?? false, 'config')
}

/** API doc: ConfigMapVolumeSource. */
export const configMapVolume: VolumeType = {
  field: 'configMap',
  folder: 'kubernetes.io~configmap',
  live: true,
  readOnly: true,
  async setUp({ source: { configMap = {} } }, context) {
    await writePayload(context, configMapPayload(configMap, configMap.defaultMode ?? 0o644, context))
    return context.directory
  },
}
