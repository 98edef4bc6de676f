/**
 * Finds the route of a request (API doc: networking/v1 HTTPIngressPath): the host first, its own name before a wildcard
 * before none; then the path, the longest that matches, Exact before Prefix. A host that has routes of its own is not
 * served by those of a wildcard. Pure.
 */
import { byHost } from './host.ts'
import { prefixOf } from './path.ts'
import type { Route } from './route.ts'

export interface Table {
  /** `host` as `hostOf`, `path` as `normalPath` gives it. */
  find(host: string, path: string): Route | undefined
}

interface HostRoutes {
  readonly exact: Map<string, Route>
  readonly prefixes: Map<string, Route>
  /** Elements of the longest prefix: no more of a path is looked at. */
  depth: number
}

const depthOf = (prefix: string) => prefix.split('/').length - 1

function findPath({ exact, prefixes, depth }: HostRoutes, path: string): Route | undefined {
  const whole = exact.get(path)
  if (whole) return whole
  let found = prefixes.get('')
  for (let at = 0, end = 0; at < depth && end < path.length; at++) {
    const slash = path.indexOf('/', end + 1)
    end = slash < 0 ? path.length : slash
    found = prefixes.get(path.slice(0, end)) ?? found
  }
  return found
}

/** Makes the table. Of routes for the same host, path and way to match, the first counts. */
export function createTable(routes: readonly Route[]): Table {
  const hosts = new Map<string, HostRoutes>()
  for (const route of routes) {
    let own = hosts.get(route.host)
    if (!own) hosts.set(route.host, (own = { exact: new Map(), prefixes: new Map(), depth: 0 }))
    const [paths, key] = route.match === 'Exact' ? [own.exact, route.path] : [own.prefixes, prefixOf(route.path)]
    if (paths.has(key)) continue
    paths.set(key, route)
    if (route.match === 'Prefix') own.depth = Math.max(own.depth, depthOf(key))
  }
  return {
    find(host, path) {
      const own = byHost(hosts, host) ?? hosts.get('')
      return own && findPath(own, path)
    },
  }
}
