import type { CrossVersionObjectReference } from '../../api/generated/types/autoscaling-v2.ts'
import { groupOf } from '../../api/kinds/autoscaling/group-of.ts'
import type { Resource } from '../../client/resource.ts'
import type { ServedKinds } from '../served-kinds.ts'

/**
 * The kind that an autoscaler names; it need not be a version that is served, its group counts. Throws an Error whose
 * sentence stands in conditions and events.
 */
export function resourceOf(
  served: Pick<ServedKinds, 'list' | 'find'>,
  { apiVersion = '', kind }: CrossVersionObjectReference,
): Resource {
  const group = groupOf(apiVersion)
  if (group === undefined) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  const found = served.find(apiVersion, kind) ?? served.list().find(each => each.group === group && each.kind === kind)
  if (!found) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  return found
}
