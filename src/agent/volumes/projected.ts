import type { VolumeProjection } from '../../api/generated/types/core-v1.ts'
import { allContainers } from '../pod/object.ts'
import { configMapPayload } from './config-map.ts'
import { downwardPayload } from './downward-api.ts'
import { type Payload, safePath, writePayload } from './payload.ts'
import { secretPayload } from './secret.ts'
import { type VolumeContext, VolumeError, type VolumeType } from './volume.ts'

async function sourcePayload(source: VolumeProjection, mode: number, context: VolumeContext): Promise<Payload> {
  if (source.configMap) return configMapPayload(source.configMap, mode, context)
  if (source.secret) return secretPayload(source.secret, mode, context)
  if (source.downwardAPI) return downwardPayload(source.downwardAPI.items, mode, context)
  if (source.serviceAccountToken) {
    const token = await context.token(source.serviceAccountToken)
    // A process of another user must be able to read it; one that has a group reads it by that.
    const tokenMode =
      context.pod.spec?.securityContext?.fsGroup !== undefined ? 0o600 : runsAsOther(context) ? 0o644 : mode
    return new Map([[safePath(source.serviceAccountToken.path), { data: Buffer.from(token), mode: tokenMode }]])
  }
  const named = Object.keys(source)[0] ?? 'nothing'
  throw new VolumeError(`projected volumes from ${named} are not supported by this node`)
}

/** Some container runs as a user that does not own the file. */
function runsAsOther({ pod }: VolumeContext): boolean {
  const ofPod = pod.spec?.securityContext?.runAsUser
  const users = allContainers(pod).map(each => each.securityContext?.runAsUser ?? ofPod)
  return users.some(user => user !== undefined && user !== 0)
}

/** API doc: ProjectedVolumeSource. Later sources win where two give the same path. */
export const projectedVolume: VolumeType = {
  field: 'projected',
  folder: 'kubernetes.io~projected',
  live: true,
  readOnly: true,
  async setUp({ source: { projected = {} } }, context) {
    const payload: Payload = new Map()
    for (const source of projected.sources ?? []) {
      for (const [path, file] of await sourcePayload(source, projected.defaultMode ?? 0o644, context))
        payload.set(path, file)
    }
    await writePayload(context, payload)
    return context.directory
  },
}
