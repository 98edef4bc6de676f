/** apidiscovery.k8s.io: everything that clients discover, in one answer (KEP-3352). */
import type { Kind, Subresource } from '../../api/machinery/kind.ts'
import { type DiscoveryGroup, subresourcesOf } from './groups.ts'

/** Group and version are left empty where they are those of the resource's own path. */
function responseKind(kind: Kind, of: Subresource['responseKind']) {
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
    verbs: [...kind.verbs],
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

/** An APIGroupDiscoveryList of these groups, in the asked version of apidiscovery.k8s.io. */
export function aggregatedDiscovery(groups: readonly DiscoveryGroup[], version: 'v2' | 'v2beta1') {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { ...(group && { name: group }), creationTimestamp: null },
      versions: versions.map(each => ({
        version: each.version,
        resources: [...each.kinds].sort((a, b) => (a.plural < b.plural ? -1 : 1)).map(resource),
        freshness: 'Current',
      })),
    })),
  }
}
