/** apidiscovery.k8s.io: everything that clients discover, in one answer (KEP-3352). */
import type { Kind, Subresource } from '../../api/machinery/kind.ts'
import { type DiscoveryGroup, subresourcesOf, verbsOf } from './groups.ts'

/** Group and version are left empty where they are those of the resource's own path. */
function responseKind(kind: Kind, of: Subresource['responseKind']) {
  if (kind.custom) return of ?? { group: kind.group, version: kind.version, kind: kind.kind }
  if (!of) return { group: '', version: '', kind: kind.kind }
  const own = of.group === kind.group && of.version === kind.version
  return own ? { group: '', version: '', kind: of.kind } : { group: of.group, version: of.version, kind: of.kind }
}

function resource(kind: Kind) {
  const subresources = subresourcesOf(kind)
  return {
    resource: kind.plural,
    responseKind: responseKind(kind, undefined),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...(kind.shortNames?.length && { shortNames: [...kind.shortNames] }),
    ...(kind.categories?.length && { categories: [...kind.categories] }),
    ...(subresources.length && {
      subresources: subresources.map(each => ({
        subresource: each.name,
        responseKind: responseKind(kind, each.responseKind),
        verbs: [...each.verbs],
      })),
    }),
  }
}

/** One item of an APIGroupDiscoveryList: a group with everything in it. */
export function discoveryItem({ group, versions }: DiscoveryGroup) {
  return {
    metadata: { ...(group && { name: group }), creationTimestamp: null },
    versions: versions.map(each => ({
      version: each.version,
      resources: [...each.kinds].sort((a, b) => (a.plural < b.plural ? -1 : 1)).map(resource),
      freshness: 'Current',
    })),
  }
}
