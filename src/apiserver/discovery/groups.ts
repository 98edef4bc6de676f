/**
 * The kinds in the order of discovery: built-in groups and versions as they first come, which is the order of
 * preference, then custom groups by their name and their versions by their age.
 */
import { compareVersions } from '../../api/custom/versions.ts'
import type { Kind, Subresource } from '../../api/machinery/kind.ts'

export interface DiscoveryVersion {
  readonly version: string
  readonly kinds: readonly Kind[]
}

export interface DiscoveryGroup {
  /** '' is the core group. */
  readonly group: string
  /** The preferred one first. */
  readonly versions: readonly DiscoveryVersion[]
}

/** Groups the kinds. */
export function groupsOf(kinds: readonly Kind[]): DiscoveryGroup[] {
  const groups = new Map<string, Map<string, Kind[]>>()
  for (const kind of kinds) {
    let versions = groups.get(kind.group)
    if (!versions) groups.set(kind.group, (versions = new Map()))
    const list = versions.get(kind.version)
    if (list) list.push(kind)
    else versions.set(kind.version, [kind])
  }
  const builtIn = new Set(kinds.filter(kind => !kind.custom).map(kind => kind.group))
  const custom = [...groups.keys()].filter(group => !builtIn.has(group)).sort()
  return [...[...groups.keys()].filter(group => builtIn.has(group)), ...custom].map(group => {
    const versions = [...groups.get(group)!].map(([version, list]) => ({ version, kinds: list }))
    if (!builtIn.has(group)) versions.sort((a, b) => compareVersions(a.version, b.version))
    return { group, versions }
  })
}

const TERMINATING = ['delete', 'deletecollection', 'get', 'list', 'watch']

/** The verbs that are shown: nothing is to be made or changed while the definition of a kind goes. */
export const verbsOf = (kind: Kind): readonly string[] => (kind.custom?.terminating ? TERMINATING : kind.verbs)

const READ_WRITE = ['get', 'patch', 'update']

/** All subresources of a kind, by name: those it lists, and status and scale. */
export function subresourcesOf(kind: Kind): Subresource[] {
  const all: Subresource[] = [...(kind.subresources ?? [])]
  if (kind.status && !all.some(each => each.name === 'status')) all.push({ name: 'status', verbs: READ_WRITE })
  if (kind.scale && !all.some(each => each.name === 'scale')) {
    const responseKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
    all.push({ name: 'scale', verbs: READ_WRITE, responseKind })
  }
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}
