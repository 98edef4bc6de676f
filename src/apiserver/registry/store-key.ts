/** Where an object stands in the store: `/registry/<group or core>/<plural>/[<namespace>/]<name>`. */
import type { Kind } from '../../api/machinery/kind.ts'

/** Everything of the API server stands below it. */
export const ROOT = '/registry/'

/** The part of a key that all objects of a kind share, without ROOT: `apps/deployments`, `core/pods`. */
export const resourceOf = (kind: Pick<Kind, 'group' | 'plural'>) => `${kind.group || 'core'}/${kind.plural}`

/** `namespace` is '' for cluster scope. An empty name gives the prefix of all. */
export const storeKey = (resource: string, namespace: string, name: string) =>
  namespace ? `${ROOT}${resource}/${namespace}/${name}` : `${ROOT}${resource}/${name}`

/** The resource of a key and where `[namespace/]name` begins in it; undefined for keys that are not objects'. */
export function splitKey(key: string): { resource: string; at: number } | undefined {
  const group = key.indexOf('/', ROOT.length)
  const plural = group < 0 ? -1 : key.indexOf('/', group + 1)
  return plural < 0 ? undefined : { resource: key.slice(ROOT.length, plural), at: plural + 1 }
}
