/** What an autoscaler points at, by its scale: any kind that has this subresource. */
import type { Scale } from '../../api/generated/types/autoscaling-v1.ts'
import type { CrossVersionObjectReference } from '../../api/generated/types/autoscaling-v2.ts'
import { type Client, hasReason } from '../../client/client.ts'
import type { ServedKinds } from '../served-kinds.ts'
import { resourceOf } from './resource-of.ts'

export interface Target {
  readonly scale: Scale
  /** Writes the number of replicas. Rejects as the API does. */
  set(replicas: number): Promise<void>
}

/** Tries of a write that others got before. */
const TRIES = 5

/** Reads the scale. Rejects with the sentence for condition and event. */
export async function readTarget(
  client: Client,
  served: Pick<ServedKinds, 'list' | 'find'>,
  namespace: string,
  reference: CrossVersionObjectReference,
): Promise<Target> {
  const resource = client.kind(resourceOf(served, reference))
  const ref = { namespace, name: reference.name }
  const read = () => resource.subresource<Scale>(ref, 'scale', undefined, 'GET')
  let scale = await read()
  return {
    scale,
    async set(replicas) {
      for (let tries = 1; ; tries++) {
        try {
          await resource.subresource(ref, 'scale', { ...scale, spec: { ...scale.spec, replicas } }, 'PUT')
          return
        } catch (error) {
          if (!hasReason(error, 'Conflict') || tries === TRIES) throw error
          scale = await read()
        }
      }
    },
  }
}
