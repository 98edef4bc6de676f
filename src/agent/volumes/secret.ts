import type { SecretProjection } from '../../api/generated/types/core-v1.ts'
import { type Payload, pickFiles, writePayload } from './payload.ts'
import { type VolumeContext, VolumeError, type VolumeType } from './volume.ts'

/** What a Secret source puts into a volume. */
export function secretPayload(source: SecretProjection, mode: number, { objects }: VolumeContext): Payload {
  const name = source.name ?? ''
  const object = objects.secret(name)
  if (!object) {
    if (source.optional) return new Map()
    throw new VolumeError(`secret ${JSON.stringify(name)} not found`)
  }
  const data = Object.entries(object.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])
  return pickFiles(Object.fromEntries(data), source.items, mode, source.optional ?? false, 'secret')
}

/** API doc: SecretVolumeSource. */
export const secretVolume: VolumeType = {
  field: 'secret',
  folder: 'kubernetes.io~secret',
  live: true,
  readOnly: true,
  async setUp({ source: { secret = {} } }, context) {
    const { secretName, defaultMode = 0o644, ...source } = secret
    const payload = secretPayload({ ...source, ...(secretName && { name: secretName }) }, defaultMode, context)
    await writePayload(context, payload)
    return context.directory
  },
}
