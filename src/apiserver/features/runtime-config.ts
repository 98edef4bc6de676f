/** Which versions of the API are served: kube-apiserver's `--runtime-config`, as a map. */
import { FOREIGN_GROUPS } from '../../api/kinds/foreign-groups.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { nearest } from '../../lib/nearest.ts'

/** By `group/version` (`v1` for the core group), `api/all`, `api/ga`, `api/beta` or `api/alpha`. */
export type RuntimeConfig = Readonly<Record<string, boolean>>

/** The server and the cluster's own parts stand on these. */
const NEEDED = new Set([
  'v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'events.k8s.io/v1',
  'networking.k8s.io/v1',
  'node.k8s.io/v1',
  'policy/v1',
  'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1',
])

const MATURITY: readonly [name: string, versions: RegExp][] = [
  ['api/all', /./],
  ['api/ga', /^v\d+$/],
  ['api/beta', /^v\d+beta\d+$/],
  ['api/alpha', /^v\d+alpha\d+$/],
]

const groupOf = (apiVersion: string) => apiVersion.split('/')[0]!
const versionOf = (apiVersion: string) => apiVersion.slice(apiVersion.indexOf('/') + 1)

/** Refuses what is not understood; `known` are the versions that can be served. */
function check(config: RuntimeConfig, known: readonly string[]): void {
  const words = [...MATURITY.map(([name]) => name), ...known]
  if (config['api/all'] === false && Object.keys(config).length === 1)
    throw new Error('invalid key with only api/all=false')
  for (const [name, on] of Object.entries(config)) {
    const quoted = JSON.stringify(name)
    if (!on && NEEDED.has(name)) throw new Error(`${quoted} cannot be turned off: the cluster's own parts need it`)
    if (words.includes(name)) continue
    const group = groupOf(name)
    const isGroup = known.some(each => each.startsWith(`${group}/`))
    const near = nearest(name, words)
    throw new Error(
      isGroup
        ? `version ${JSON.stringify(versionOf(name))} of the API group ${JSON.stringify(group)} is not built: ${known.filter(each => each.startsWith(`${group}/`)).join(', ')} is`
        : `unknown api groups ${group}${near ? `: is ${JSON.stringify(near)} meant?` : ''}`,
    )
  }
}

/**
 * The kinds that are served then. Versions that the cluster's own parts need stay, whatever is said of all. Throws an
 * Error that names the first entry that is unknown or cannot be.
 */
export function servedKinds(kinds: readonly Kind[], config: RuntimeConfig): readonly Kind[] {
  const known = [...new Set(kinds.map(each => each.apiVersion))]
  check(config, known)
  const isOn = (apiVersion: string) => {
    if (NEEDED.has(apiVersion)) return true
    if (FOREIGN_GROUPS.has(groupOf(apiVersion))) return config[apiVersion] ?? true
    let on = true
    for (const [name, versions] of MATURITY) if (versions.test(versionOf(apiVersion))) on = config[name] ?? on
    return config[apiVersion] ?? on
  }
  const off = new Set(known.filter(each => !isOn(each)))
  if (off.size === 0) return kinds
  const served = kinds.filter(each => !off.has(each.apiVersion))
  for (const { apiVersion, storage } of served) {
    const stored = storage?.kind.slice(0, storage.kind.lastIndexOf('/'))
    if (stored && off.has(stored))
      throw new Error(
        `${JSON.stringify(stored)} cannot be turned off while ${apiVersion} is served: it holds the objects of both`,
      )
  }
  return served
}
