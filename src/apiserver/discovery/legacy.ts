/** Discovery as it was before aggregation: groups, then one list of resources for each version. */
import { createHash } from 'node:crypto'
import type { Kind } from '../../api/machinery/kind.ts'
import { type DiscoveryGroup, type DiscoveryVersion, subresourcesOf, verbsOf } from './groups.ts'

const groupVersion = (group: string, version: string) => (group ? `${group}/${version}` : version)

/** Tells clients when objects are stored in another form. */
const storageVersionHash = (kind: Kind) =>
  createHash('sha256')
    .update(kind.storage?.kind ?? `${kind.group}/${kind.custom?.storedAs ?? kind.version}/${kind.kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64')

function resourcesOf(kind: Kind) {
  const { kind: name, plural, singular, namespaced, shortNames, categories } = kind
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: name,
    verbs: verbsOf(kind),
    ...(shortNames?.length && { shortNames }),
    ...(categories?.length && { categories }),
    ...(!kind.virtual && { storageVersionHash: storageVersionHash(kind) }),
  }
  const below = subresourcesOf(kind).map(each => {
    const of = each.responseKind
    const other = of && (of.group !== kind.group || of.version !== kind.version)
    return {
      name: `${plural}/${each.name}`,
      singularName: '',
      namespaced,
      ...(other && { group: of.group, version: of.version }),
      kind: of?.kind ?? name,
      verbs: each.verbs,
    }
  })
  return [own, ...below]
}

/** `/api/v1`, `/apis/apps/v1`, …: an APIResourceList. */
export function apiResourceList(group: string, { version, kinds }: DiscoveryVersion) {
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: groupVersion(group, version),
    resources: [...kinds].sort((a, b) => (a.plural < b.plural ? -1 : 1)).flatMap(resourcesOf),
  }
}

/** `/apis/apps`: an APIGroup. */
export function apiGroup({ group, versions }: DiscoveryGroup) {
  const all = versions.map(({ version }) => ({ groupVersion: groupVersion(group, version), version }))
  return { kind: 'APIGroup', apiVersion: 'v1', name: group, versions: all, preferredVersion: all[0] }
}

/** `/apis`: an APIGroupList of every group but the core. */
export function apiGroupList(groups: readonly DiscoveryGroup[]) {
  const items = groups.filter(each => each.group !== '').map(apiGroup)
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: items.map(({ kind: _, apiVersion: _a, ...rest }) => rest) }
}

/** `/api`: the versions of the core group. `address` is where the client reached the server. */
export function apiVersions(groups: readonly DiscoveryGroup[], address: string) {
  const core = groups.find(each => each.group === '')
  return {
    kind: 'APIVersions',
    versions: core?.versions.map(each => each.version) ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  }
}
