/** What an autoscaler points at, by its scale: any kind that has this subresource. */
import type { Scale } from '../../api/generated/types/autoscaling-v1.ts'
import type { CrossVersionObjectReference } from '../../api/generated/types/autoscaling-v2.ts'
import { type Client, hasReason } from '../../client/client.ts'
import type { Resource } from '../../client/resource.ts'
import type { ServedKinds } from '../served-kinds.ts'

export interface Target {
  readonly scale: Scale
  /** Writes the number of replicas. Rejects as the API does. */
  set(replicas: number): Promise<void>
}

/** Tries of a write that others got before. */
const TRIES = 5

function find(
  served: Pick<ServedKinds, 'list' | 'find'>,
  { apiVersion = '', kind }: CrossVersionObjectReference,
): Resource {
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  const group = parts.length === 2 ? parts[0]! : ''
  const found = served.find(apiVersion, kind) ?? served.list().find(each => each.group === group && each.kind === kind)
  if (!found) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  return found
}

/** Reads the scale. Rejects with the sentence for condition and event. */
export async function readTarget(
  client: Client,
  served: Pick<ServedKinds, 'list' | 'find'>,
  namespace: string,
  reference: CrossVersionObjectReference,
): Promise<Target> {
  const resource = client.kind(find(served, reference))
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
