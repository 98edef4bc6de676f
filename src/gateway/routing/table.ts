/**
 * Finds the route of a request (API doc: networking/v1 HTTPIngressPath): the host first, its own name before a wildcard
 * before none; then the path, the longest that matches, Exact before Prefix. A host that has routes of its own is not
 * served by those of a wildcard.
 */
import { byHost } from './host.ts'
import { prefixOf } from './path.ts'
import type { Route } from './route.ts'

export interface Table {
  /** `host` as `hostOf`, `path` as `normalPath` gives it. */
  find(host: string, path: string): Route | undefined
  /** Sets what is kept under a key (`keyOfRoute`), or takes it out. */
  set(key: string, route: Route | undefined): void
}

/** What a route matches: of two with the same key there can be one in a table. */
export const keyOfRoute = ({ host, match, path }: Pick<Route, 'host' | 'match' | 'path'>): string =>
  `${host} ${match} ${match === 'Exact' ? path : prefixOf(path)}`

interface HostRoutes {
  readonly exact: Map<string, Route>
  readonly prefixes: Map<string, Route>
  /** No prefix has more elements: no more of a path is looked at. */
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

/** Makes a table of routes by their keys. */
export function createTable(entries: Iterable<readonly [key: string, route: Route]> = []): Table {
  const hosts = new Map<string, HostRoutes>()
  const routes = new Map<string, Route>()

  function takeOut(key: string) {
    const route = routes.get(key)
    const own = route && hosts.get(route.host)
    if (!route || !own) return
    routes.delete(key)
    if (route.match === 'Exact') own.exact.delete(route.path)
    else own.prefixes.delete(prefixOf(route.path))
    if (own.exact.size + own.prefixes.size === 0) hosts.delete(route.host)
  }
  function putIn(key: string, route: Route) {
    routes.set(key, route)
    let own = hosts.get(route.host)
    if (!own) hosts.set(route.host, (own = { exact: new Map(), prefixes: new Map(), depth: 0 }))
    if (route.match === 'Exact') return own.exact.set(route.path, route)
    const prefix = prefixOf(route.path)
    own.depth = Math.max(own.depth, depthOf(prefix))
    return own.prefixes.set(prefix, route)
  }
  for (const [key, route] of entries) putIn(key, route)
  return {
    find(host, path) {
      const own = byHost(hosts, host) ?? hosts.get('')
      return own && findPath(own, path)
    },
    set(key, route) {
      takeOut(key)
      if (route) putIn(key, route)
    },
  }
}
